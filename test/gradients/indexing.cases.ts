/** Cases of operators that address elements by index. */
import type { Ops } from "../../src/build/index.ts";
import type { Value } from "../../src/program/index.ts";
import { int64, Tensor } from "../../src/tensor/index.ts";
import { booleans, distinct, type GradientCase, normal } from "./gradient-case.ts";

const indices = (ops: Ops, shape: readonly number[], numbers: readonly number[]): Value =>
  ops.constant(int64(numbers, shape));

function gatherCase(title: string, axis: number, index: Tensor): GradientCase {
  return {
    title: `Gather ${title}`,
    covers: ["Gather"],
    inputs: [normal([3, 4, 2]), index],
    build: (ops, x, at) => ops.gather(x, at, axis),
  };
}

function scatterCase(operator: string, reduction: string | undefined, more: Partial<GradientCase> = {}): GradientCase {
  const byElement = operator === "ScatterElements";
  // Numbers that are added may meet in one place, numbers that are written may not.
  const repeats = reduction !== undefined && reduction !== "none";
  const index = byElement
    ? int64(repeats ? [1, 0, 1, 2] : [1, 0, 2, 2], [2, 2])
    : int64([0, 1, repeats ? 0 : -1, 1], [2, 2]);
  return {
    title: `${operator} with reduction ${reduction ?? "by default"}`,
    covers: [operator],
    inputs: [distinct([3, 2, 2]), index, distinct(byElement ? [2, 2, 1] : [2, 2])],
    build: (ops, data, at, updates) => {
      const places = byElement ? ops.unsqueeze(at, [2]) : at;
      return ops.emit(
        operator,
        [data, places, ops.mul(updates, 0.9)],
        byElement ? { reduction, axis: 0 } : { reduction },
      );
    },
    ...more,
  };
}

/** Indexing. */
export const indexingCases: readonly GradientCase[] = [
  gatherCase("of rows, repeated and counted from the end", 0, int64([2, 0, -1, 2, 1, -3], [2, 3])),
  gatherCase("along the middle axis", 1, int64([3, 3, 0])),
  gatherCase("along the last axis, counted from the end", -1, int64([1, 0, -2, 1], [2, 2])),
  gatherCase("with 32-bit indices", 0, new Tensor("int32", [2], Int32Array.of(1, 1))),
  {
    title: "Gather of one place, which goes",
    covers: ["Gather"],
    inputs: [normal([2, 3, 2])],
    build: (ops, x) => ops.gather(x, indices(ops, [], [-1]), 1),
  },
  {
    title: "Gather of one place, which stays",
    covers: ["Gather"],
    inputs: [normal([2, 3])],
    build: (ops, x) => ops.gather(x, indices(ops, [1, 1], [0]), 0),
  },
  {
    title: "Gather of squares, twice differentiated",
    covers: ["Gather"],
    inputs: [normal([4, 2])],
    build: (ops, x) => ops.square(ops.gather(x, indices(ops, [3], [1, 1, 3]))),
    second: true,
  },
  {
    title: "GatherElements along an axis, repeated",
    covers: ["GatherElements"],
    inputs: [normal([3, 3])],
    build: (ops, x) => ops.gatherElements(ops.square(x), indices(ops, [2, 3], [0, 2, -1, 0, 1, 0]), 1),
    second: true,
  },
  {
    title: "GatherND of elements and of slices",
    covers: ["GatherND"],
    inputs: [normal([3, 2, 2])],
    build: (ops, x) => [
      ops.gatherND(x, indices(ops, [2, 3], [0, 1, 1, 2, 0, -1])),
      ops.gatherND(ops.square(x), indices(ops, [3, 1], [2, 0, 2])),
    ],
    second: true,
  },
  {
    title: "GatherND with a batch axis",
    covers: ["GatherND"],
    inputs: [normal([2, 3, 2])],
    build: (ops, x) => ops.emit("GatherND", [x, indices(ops, [2, 2, 1], [1, 0, 2, 2])], { batch_dims: 1 }),
  },
  {
    title: "GatherND with two batch axes",
    covers: ["GatherND"],
    inputs: [normal([2, 2, 3, 2])],
    build: (ops, x) => ops.emit("GatherND", [x, indices(ops, [2, 2, 2], [0, 1, 2, 0, 1, 1, 2, 1])], { batch_dims: 2 }),
  },
  ...["ScatterElements", "ScatterND"].flatMap((operator) =>
    [undefined, "none", "add", "max", "min"].map((reduction) => scatterCase(operator, reduction)),
  ),
  {
    title: "ScatterElements that adds, along a negative axis, twice differentiated",
    covers: ["ScatterElements"],
    inputs: [normal([2, 3]), normal([2, 2])],
    build: (ops, x, updates) =>
      ops.square(ops.scatterAdd(x, indices(ops, [2, 2], [0, 0, 2, -1]), ops.square(updates), -1)),
    second: true,
  },
  {
    title: "ScatterND that writes rows, twice differentiated",
    covers: ["ScatterND"],
    inputs: [normal([3, 2]), normal([2, 2])],
    build: (ops, x, updates) => ops.square(ops.emit("ScatterND", [x, indices(ops, [2, 1], [2, 0]), updates])),
    second: true,
  },
  {
    title: "Compress along an axis",
    covers: ["Compress"],
    inputs: [normal([3, 4])],
    build: (ops, x) => ops.emit("Compress", [x, ops.constant(booleans([4], [1, 0, 0, 1]))], { axis: -1 }),
  },
  {
    title: "Compress of all elements, by a condition shorter than they are",
    covers: ["Compress"],
    inputs: [normal([3, 4])],
    build: (ops, x) => ops.emit("Compress", [x, ops.constant(booleans([5], [0, 1, 1, 0, 1]))]),
  },
  {
    title: "OneHot's values",
    covers: ["OneHot"],
    inputs: [normal([2])],
    build: (ops, values) =>
      ops.emit("OneHot", [indices(ops, [3], [1, -1, 5]), indices(ops, [], [4]), ops.square(values)], { axis: 0 }),
  },
  {
    title: "TopK's values, smallest first along the first axis",
    covers: ["TopK"],
    inputs: [distinct([5, 3])],
    build: (ops, x) => ops.emitAll("TopK", [x, indices(ops, [1], [2])], 2, { axis: 0, largest: 0 })[0]!,
  },
  {
    title: "TopK's squared values, twice differentiated",
    covers: ["TopK"],
    inputs: [distinct([2, 5])],
    build: (ops, x) => ops.square(ops.topK(x, 3).values),
    second: true,
  },
  {
    title: "TakeElements, one of them twice",
    covers: ["modicum:TakeElements"],
    inputs: [normal([2, 3])],
    build: (ops, x) =>
      ops.square(ops.emit("TakeElements", [x, indices(ops, [2, 2], [5, 0, 2, 5])], {}, { domain: "modicum" })),
    second: true,
  },
  {
    title: "AddElements, to one of them twice",
    covers: ["modicum:AddElements"],
    inputs: [normal([2, 3]), normal([4])],
    build: (ops, x, numbers) =>
      ops.square(ops.emit("AddElements", [x, indices(ops, [4], [5, 0, 2, 5]), numbers], {}, { domain: "modicum" })),
    second: true,
  },
];
