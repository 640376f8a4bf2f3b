/** Cases of operators that move elements. */
import type { Ops } from "../../src/build/index.ts";
import type { Value } from "../../src/program/index.ts";
import { int64 } from "../../src/tensor/index.ts";
import { type GradientCase, normal } from "./gradient-case.ts";

const image = normal([1, 2, 3, 4]);

/** Pad with pads of the last axes, which the axes input names. */
function padCase(mode: string, pads: readonly number[], title: string): GradientCase {
  return {
    title: `Pad ${mode} ${title}`,
    covers: ["Pad"],
    inputs: [image],
    build: (ops, x) =>
      ops.emit("Pad", [x, ops.constant(int64(pads)), undefined, ops.constant(int64([2, -1]))], { mode }),
  };
}

/** Pad of all axes, with pads [0, 0, ...begins, 0, 0, ...ends] of height and width. */
function padAllCase(mode: string, pads: readonly number[], title: string): GradientCase {
  const all = [0, 0, ...pads.slice(0, 2), 0, 0, ...pads.slice(2)];
  return {
    title: `Pad ${mode} ${title}`,
    covers: ["Pad"],
    inputs: [image],
    build: (ops, x) => ops.emit("Pad", [x, ops.constant(int64(all))], { mode }),
  };
}

function sliceCase(title: string, ...numbers: readonly (readonly number[])[]): GradientCase {
  return {
    title: `Slice ${title}`,
    covers: ["Slice"],
    inputs: [normal([5, 7])],
    build: (ops, x) =>
      ops.emit("Slice", [
        x,
        ...numbers.map((operand) => (operand.length > 0 ? ops.constant(int64(operand)) : undefined)),
      ]),
  };
}

const FIRST = -Number.MAX_SAFE_INTEGER;

function depthCase(operator: string, shape: readonly number[], mode?: string): GradientCase {
  return {
    title: `${operator}${mode ? ` ${mode}` : ""}`,
    covers: [operator],
    inputs: [normal(shape)],
    build: (ops, x) => ops.emit(operator, [x], { blocksize: 2, mode }),
  };
}

function triluCase(title: string, upper: 0 | 1, k?: number): GradientCase {
  return {
    title: `Trilu ${title}`,
    covers: ["Trilu"],
    inputs: [normal([2, 3, 4])],
    build: (ops, x) => ops.emit("Trilu", [x, k === undefined ? undefined : ops.constant(int64([k], []))], { upper }),
  };
}

const vector = (ops: Ops, ...numbers: readonly number[]): Value => ops.constant(int64(numbers));

/** Moving elements. */
export const movementCases: readonly GradientCase[] = [
  {
    title: "Transpose by a permutation",
    covers: ["Transpose"],
    inputs: [normal([2, 3, 4])],
    build: (ops, x) => ops.transpose(x, [2, 0, 1]),
  },
  {
    title: "Transpose that reverses all axes by default",
    covers: ["Transpose"],
    inputs: [normal([2, 3, 4])],
    build: (ops, x) => ops.emit("Transpose", [x]),
  },
  {
    title: "Concat of three parts, one of them twice",
    covers: ["Concat"],
    inputs: [normal([2, 3]), normal([2, 1])],
    build: (ops, a, b) => ops.concat([a, b, a], -1),
    closedForm: (a, b) => [a.map(() => 2), b.map(() => 1)],
  },
  {
    title: "Concat with a constant part",
    covers: ["Concat"],
    inputs: [normal([1, 3])],
    build: (ops, a) => ops.concat([ops.full([2, 3], 1, a.dtype), a], 0),
  },
  {
    title: "Split by lengths, one part unused",
    covers: ["Split"],
    inputs: [normal([2, 6])],
    build: (ops, x) => {
      const [a, , c] = ops.split(x, 1, [2, 1, 3]);
      return [a!, c!];
    },
  },
  {
    title: "Split into a number of parts that do not come out even",
    covers: ["Split"],
    inputs: [normal([5, 2])],
    build: (ops, x) => ops.emitAll("Split", [x], 3, { num_outputs: 3 }),
  },
  {
    title: "Split into equal parts, the last alone in use (operator set 13)",
    covers: ["Split"],
    inputs: [normal([4, 2])],
    opset: 17,
    build: (ops, x) => ops.emitAll("Split", [x], 2)[1]!,
  },
  sliceCase("of all axes, axes not given", [1, 0], [4, 3]),
  sliceCase("with negative bounds", [-3], [-1], [1]),
  sliceCase("with steps that leave a rest", [0, 1], [5, 100], [0, -1], [2, 3]),
  sliceCase("backwards from end to beginning", [-1], [FIRST], [1], [-1]),
  sliceCase("backwards by two, and forwards", [100, 1], [0, 3], [1, 0], [-2, 1]),
  sliceCase("backwards from the middle", [4, 3], [-7, FIRST], [1, 0], [-3, -2]),
  {
    title: "Slice whose gradient is sliced again",
    covers: ["Slice"],
    inputs: [normal([6])],
    build: (ops, x) => ops.square(ops.slice(x, { axes: [0], starts: [4], ends: [0], steps: [-2] })),
    second: true,
  },
  {
    title: "Pad with a value that is differentiated",
    covers: ["Pad"],
    inputs: [normal([2, 3]), normal([])],
    build: (ops, x, fill) => ops.pad(x, [1, 0, 0, 2], fill),
  },
  {
    title: "Pad with negative and positive pads and a value",
    covers: ["Pad"],
    inputs: [normal([4, 3]), normal([1])],
    build: (ops, x, fill) => ops.pad(x, [-1, 2, 1, -1], fill),
  },
  padCase("constant", [1, 0, 2, 3], "along named axes"),
  ...["reflect", "edge", "wrap"].flatMap((mode) => [
    padCase(mode, [1, 2, 2, 1], "along named axes"),
    padAllCase(mode, [2, 0, 1, 3], "of all axes"),
    padAllCase(mode, [0, 2, 0, 0], "on one side"),
  ]),
  padAllCase("edge", [4, 5, 3, 6], "beyond the length"),
  padAllCase("edge", [-1, 2, 1, -1], "with negative pads"),
  {
    title: "Expand of axes in the middle and in front",
    covers: ["Expand"],
    inputs: [normal([3, 1, 2])],
    build: (ops, x) => ops.expand(x, [2, 3, 4, 2]),
    closedForm: (x) => [x.map(() => 8)],
  },
  {
    title: "Expand to a shape with a shorter, compatible one",
    covers: ["Expand"],
    inputs: [normal([3, 2])],
    build: (ops, x) => ops.emit("Expand", [x, vector(ops, 3, 1)]),
  },
  {
    title: "Tile of two axes of three",
    covers: ["Tile"],
    inputs: [normal([2, 3, 2])],
    build: (ops, x) => ops.tile(x, [3, 1, 2]),
    closedForm: (x) => [x.map(() => 6)],
  },
  {
    title: "Tile that repeats nothing",
    covers: ["Tile"],
    inputs: [normal([2, 2])],
    build: (ops, x) => ops.tile(x, [1, 1]),
  },
  depthCase("DepthToSpace", [1, 8, 2, 3]),
  depthCase("DepthToSpace", [1, 8, 2, 3], "CRD"),
  depthCase("SpaceToDepth", [1, 2, 4, 6]),
  triluCase("upper", 1),
  triluCase("lower, shifted up", 0, 1),
  triluCase("upper, shifted down", 1, -1),
  {
    title: "ReverseSequence with time first",
    covers: ["ReverseSequence"],
    inputs: [normal([4, 3, 2])],
    build: (ops, x) => ops.emit("ReverseSequence", [x, vector(ops, 2, 4, 1)]),
  },
  {
    title: "ReverseSequence with the batch first",
    covers: ["ReverseSequence"],
    inputs: [normal([2, 4])],
    build: (ops, x) => ops.emit("ReverseSequence", [x, vector(ops, 3, 2)], { batch_axis: 0, time_axis: 1 }),
  },
  {
    title: "CenterCropPad that crops one axis by an odd number and pads another",
    covers: ["CenterCropPad"],
    inputs: [normal([5, 4])],
    build: (ops, x) => ops.emit("CenterCropPad", [x, vector(ops, 2, 7)]),
  },
  {
    title: "CenterCropPad of named axes",
    covers: ["CenterCropPad"],
    inputs: [normal([2, 3, 4])],
    build: (ops, x) => ops.emit("CenterCropPad", [x, vector(ops, 6, 1)], { axes: [-2, 0] }),
  },
];
