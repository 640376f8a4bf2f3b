/** Cases of pools, and of what puts pooled pictures and blocks back. */
import type { Attributes } from "../../src/build/index.ts";
import { int64, tensorOf } from "../../src/tensor/index.ts";
import { apart, distinct, type GradientCase, normal } from "./gradient-case.ts";

function poolCase(
  operator: string,
  title: string,
  attributes: Attributes,
  shape: readonly number[] = [1, 2, 5, 6],
  more: Partial<GradientCase> = {},
): GradientCase {
  const draw = operator.endsWith("MaxPool") ? distinct : operator.endsWith("LpPool") ? apart : normal;
  return {
    title: `${operator} ${title}`,
    covers: [operator],
    inputs: [draw(shape)],
    build: (ops, x) => ops.emit(operator, [x], attributes),
    second: true,
    ...more,
  };
}

const windows: readonly (readonly [title: string, attributes: Attributes, shape?: readonly number[]])[] = [
  ["in tiles", { kernel_shape: [2, 2], strides: [2, 2] }, [1, 2, 4, 6]],
  ["in tiles that leave elements out", { kernel_shape: [2, 4], strides: [2, 4] }],
  ["that overlap", { kernel_shape: [3, 2] }],
  ["with pads and strides", { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }],
  ["with different pads on each side", { kernel_shape: [2, 3], strides: [1, 2], pads: [0, 2, 1, 0] }],
  ["with lengths rounded up", { kernel_shape: [2, 3], strides: [2, 2], ceil_mode: 1 }],
  ["with lengths rounded up and pads", { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 0, 1, 0], ceil_mode: 1 }],
  ["with auto_pad SAME_UPPER", { kernel_shape: [2, 3], strides: [2, 2], auto_pad: "SAME_UPPER" }],
  ["with auto_pad SAME_LOWER", { kernel_shape: [2, 3], strides: [2, 2], auto_pad: "SAME_LOWER" }],
  ["with dilations", { kernel_shape: [2, 2], dilations: [2, 3], pads: [1, 0, 0, 0] }],
  ["in one dimension", { kernel_shape: [3], strides: [2] }, [2, 2, 7]],
  ["in three dimensions", { kernel_shape: [2, 1, 2], strides: [1, 2, 2] }, [1, 1, 3, 3, 4]],
];

/** Pools. */
export const poolCases: readonly GradientCase[] = [
  ...["MaxPool", "AveragePool", "LpPool"].flatMap((operator) =>
    windows.map(([title, attributes, shape]) => poolCase(operator, title, attributes, shape)),
  ),
  {
    ...poolCase("MaxPool", "of squares, twice differentiated", {}),
    covers: ["MaxPool", "modicum:MaxPoolGradient"],
    build: (ops, x) => ops.square(ops.maxPool(ops.mul(x, ops.add(x, 2)), [2, 2], { pads: [1, 1, 0, 0] })),
  },
  poolCase("AveragePool", "with pads that count", {
    kernel_shape: [3, 3],
    strides: [2, 2],
    pads: [1, 1, 1, 1],
    count_include_pad: 1,
  }),
  poolCase("AveragePool", "with pads that count and lengths rounded up", {
    kernel_shape: [3, 3],
    strides: [2, 2],
    pads: [1, 0, 1, 0],
    count_include_pad: 1,
    ceil_mode: 1,
  }),
  poolCase("LpPool", "of order 1", { kernel_shape: [2, 2], p: 1 }),
  poolCase("LpPool", "of order 3 with pads", { kernel_shape: [2, 2], p: 3, pads: [1, 0, 0, 1] }),
  ...["GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"].map((operator) =>
    poolCase(operator, "in two dimensions", {}, [2, 3, 2, 3]),
  ),
  poolCase("GlobalAveragePool", "in one dimension", {}, [2, 3, 4]),
  poolCase("GlobalLpPool", "of order 3", { p: 3 }, [1, 2, 3, 3]),
  {
    title: "LpPool of a window of zeros",
    covers: ["LpPool"],
    inputs: [normal([1, 1, 4])],
    // The derivative of |x| at 0 does not exist; zero is what descends.
    build: (ops, x) =>
      ops.emit("LpPool", [ops.mul(x, ops.constant(tensorOf(x.dtype!, [4], [1, 1, 0, 0])))], {
        kernel_shape: [2],
        strides: [2],
      }),
  },
  {
    title: "MaxUnpool",
    covers: ["MaxUnpool"],
    inputs: [normal([1, 2, 2, 2]), int64([0, 3, 9, 14, 17, 18, 24, 31], [1, 2, 2, 2])],
    build: (ops, x, at) => ops.emit("MaxUnpool", [x, at], { kernel_shape: [2, 2], strides: [2, 2] }),
  },
  {
    title: "Col2Im of blocks that overlap",
    covers: ["Col2Im"],
    inputs: [normal([1, 8, 6])],
    build: (ops, x) => ops.emit("Col2Im", [x, ops.constant(int64([3, 4])), ops.constant(int64([2, 2]))]),
    second: true,
  },
  {
    title: "Col2Im with strides, pads and dilations",
    covers: ["Col2Im"],
    inputs: [normal([1, 6, 6])],
    build: (ops, x) =>
      ops.emit("Col2Im", [x, ops.constant(int64([5, 4])), ops.constant(int64([3, 2]))], {
        strides: [1, 2],
        pads: [1, 1, 0, 1],
        dilations: [2, 1],
      }),
  },
];
