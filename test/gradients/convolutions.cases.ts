/** Cases of convolutions. */
import type { Attributes, Ops } from "../../src/build/index.ts";
import type { Value } from "../../src/program/index.ts";
import { type GradientCase, normal } from "./gradient-case.ts";

interface ConvCase {
  readonly x: readonly number[];
  readonly w: readonly number[];
  readonly attributes?: Attributes;
  readonly bias?: number;
}

function convCase(
  operator: "Conv" | "ConvTranspose",
  title: string,
  { x, w, attributes = {}, bias }: ConvCase,
): GradientCase {
  return {
    title: `${operator} ${title}`,
    covers: [operator, "modicum:ConvInputGradient", "modicum:ConvWeightGradient"],
    inputs: [normal(x), normal(w), ...(bias ? [normal([bias])] : [])],
    build: (ops, ...operands) => ops.emit(operator, operands, attributes),
    second: true,
  };
}

/** Both companions of one convolution. */
function companions(ops: Ops, x: Value, w: Value, dy: Value): Value[] {
  const window = { strides: [2], pads: [1, 0] };
  const settings = { domain: "modicum" };
  return [
    ops.emit("ConvInputGradient", [dy, w], { ...window, input_shape: ops.shapeOf(x) }, settings),
    ops.emit("ConvWeightGradient", [x, dy], { ...window, weight_shape: ops.shapeOf(w) }, settings),
  ];
}

/** Convolutions. */
export const convolutionCases: readonly GradientCase[] = [
  convCase("Conv", "in one dimension, with bias", { x: [2, 2, 5], w: [3, 2, 3], bias: 3 }),
  convCase("Conv", "in two dimensions", { x: [1, 2, 4, 5], w: [2, 2, 3, 2] }),
  convCase("Conv", "in three dimensions", {
    x: [1, 1, 3, 3, 4],
    w: [2, 1, 2, 2, 2],
    attributes: { strides: [1, 1, 2], pads: [1, 0, 0, 0, 0, 1] },
  }),
  convCase("Conv", "of size 1", { x: [2, 3, 2, 2], w: [2, 3, 1, 1], bias: 2 }),
  convCase("Conv", "with strides, pads and dilations", {
    x: [1, 2, 6, 5],
    w: [2, 2, 2, 3],
    attributes: { strides: [2, 1], pads: [1, 2, 0, 1], dilations: [2, 1] },
  }),
  convCase("Conv", "with a stride that leaves elements out", {
    x: [1, 1, 6, 7],
    w: [2, 1, 3, 2],
    attributes: { strides: [2, 3] },
  }),
  convCase("Conv", "with a stride longer than the kernel", {
    x: [1, 1, 7, 6],
    w: [1, 1, 2, 1],
    attributes: { strides: [3, 2] },
  }),
  convCase("Conv", "in groups", {
    x: [1, 4, 3, 3],
    w: [4, 2, 2, 2],
    attributes: { group: 2, pads: [0, 1, 1, 0] },
    bias: 4,
  }),
  convCase("Conv", "of each channel by itself", {
    x: [1, 3, 4, 4],
    w: [6, 1, 3, 3],
    attributes: { group: 3, pads: [1, 1, 1, 1], strides: [2, 2] },
  }),
  ...["SAME_UPPER", "SAME_LOWER", "VALID"].map((mode) =>
    convCase("Conv", `with auto_pad ${mode}`, {
      x: [1, 1, 5, 6],
      w: [2, 1, 2, 4],
      attributes: { auto_pad: mode, strides: [1, 2] },
    }),
  ),
  convCase("ConvTranspose", "in one dimension, with bias", {
    x: [2, 2, 3],
    w: [2, 3, 3],
    attributes: { strides: [2] },
    bias: 3,
  }),
  convCase("ConvTranspose", "in two dimensions", { x: [1, 2, 3, 2], w: [2, 2, 2, 3] }),
  convCase("ConvTranspose", "in three dimensions", {
    x: [1, 1, 2, 2, 3],
    w: [1, 2, 2, 2, 2],
    attributes: { strides: [2, 1, 1] },
  }),
  convCase("ConvTranspose", "with strides, pads and dilations", {
    x: [1, 2, 3, 4],
    w: [2, 1, 2, 3],
    attributes: { strides: [2, 1], pads: [1, 0, 0, 2], dilations: [2, 1] },
  }),
  convCase("ConvTranspose", "with output padding that no window reaches", {
    x: [1, 1, 3, 2],
    w: [1, 2, 2, 2],
    attributes: { strides: [2, 3], output_padding: [1, 2] },
    bias: 2,
  }),
  convCase("ConvTranspose", "with output padding that takes pads back", {
    x: [1, 1, 3, 3],
    w: [1, 2, 3, 3],
    attributes: { strides: [2, 2], pads: [1, 1, 1, 1], output_padding: [1, 1] },
  }),
  convCase("ConvTranspose", "with a smaller output shape", {
    x: [1, 1, 3, 3],
    w: [1, 2, 3, 3],
    attributes: { strides: [2, 2], output_shape: [6, 5] },
  }),
  convCase("ConvTranspose", "with a larger output shape", {
    x: [1, 1, 2, 3],
    w: [1, 1, 2, 2],
    attributes: { strides: [2, 2], output_shape: [5, 7] },
    bias: 1,
  }),
  ...["SAME_UPPER", "SAME_LOWER", "VALID"].map((mode) =>
    convCase("ConvTranspose", `with auto_pad ${mode}`, {
      x: [1, 1, 3, 2],
      w: [1, 1, 3, 4],
      attributes: { auto_pad: mode, strides: [2, 1] },
    }),
  ),
  convCase("ConvTranspose", "in groups", {
    x: [1, 4, 2, 3],
    w: [4, 2, 2, 2],
    attributes: { group: 2, strides: [1, 2] },
  }),
  {
    title: "A convolution's gradients as functions of all their operands",
    covers: ["modicum:ConvInputGradient", "modicum:ConvWeightGradient"],
    inputs: [normal([1, 2, 6]), normal([2, 2, 2]), normal([1, 2, 3])],
    build: companions,
    second: true,
  },
  {
    title: "Convolutions and ReLUs twice differentiated",
    covers: ["Conv", "Relu"],
    inputs: [normal([1, 2, 5]), normal([2, 2, 3]), normal([1, 2, 2])],
    build: (ops, x, w, v) => ops.conv(ops.relu(ops.conv(x, w, undefined, { pads: [1, 1] })), v),
    second: true,
  },
];
