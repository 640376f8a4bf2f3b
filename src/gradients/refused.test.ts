import { describe, expect, it } from "vitest";
import { GraphWriter, Ops } from "../build/index.ts";
import { UnsupportedError } from "../errors.ts";
import { Graph, type Value } from "../program/index.ts";
import { int64 } from "../tensor/index.ts";
import { differentiate, gradients } from "./gradients.ts";

/** Differentiates what `build` writes with respect to the first input, in a layer called "block". */
function differentiateLayer(build: (ops: Ops, x: Value) => Value, shape: readonly number[] = [3, 4]): void {
  const ops = new Ops(new GraphWriter(undefined, 23)).at("block");
  const x = ops.input("x", "float32", shape);
  const y = build(ops, x);
  // Of some results the shape is not known: any will do, they are refused before it matters.
  differentiate(ops, [y], [ops.input("dy", "float32", y.shape ?? [1])], [x]);
}

const cases: readonly (readonly [what: string, build: (ops: Ops, x: Value) => Value, message: RegExp])[] = [
  [
    "Slice from a place that is computed when it runs",
    (ops, x) => {
      const start = ops.input("start", "int64", [1]);
      const sliced = ops.emit("Slice", [x, start, ops.constant(int64([2])), ops.constant(int64([0]))]);
      sliced.shape = [1, 4];
      return sliced;
    },
    /^Slice \(block\/Slice_\d+\): starts must be known when the program is built, got values that are computed/,
  ],
  [
    "Pad by lengths that are computed when it runs",
    (ops, x) => {
      const padded = ops.emit("Pad", [x, ops.input("pads", "int64", [4])]);
      padded.shape = [4, 4];
      return padded;
    },
    /^Pad \(block\/.*\): pads must be known/,
  ],
  [
    "Compress by a condition that is computed",
    (ops, x) => {
      const chosen = ops.emit("Compress", [x, ops.input("chosen", "bool", [3])], { axis: 0 });
      chosen.shape = [2, 4];
      return chosen;
    },
    /^Compress \(block\/.*\): the condition must be a constant to have a gradient.*multiply with a mask/,
  ],
  [
    "ScatterElements that multiplies",
    (ops, x) => {
      const at = ops.constant(int64([0, 0, 0, 0], [1, 4]));
      return ops.emit("ScatterElements", [x, at, ops.full([1, 4], 2)], { reduction: "mul" });
    },
    /^ScatterElements \(block\/.*reduction "mul"/,
  ],
  [
    "LSTM with activations of its own",
    (ops, x) =>
      ops.emit("LSTM", [ops.reshape(x, [3, 1, 4]), ops.full([1, 8, 4], 0), ops.full([1, 8, 2], 0)], {
        hidden_size: 2,
        activations: ["Sigmoid", "ScaledTanh", "Tanh"],
      }),
    /^LSTM \(block\/.*activations must be some of Sigmoid, .* got ScaledTanh/,
  ],
  [
    "MultiHeadAttention of packed operands",
    (ops, x) => {
      const packed = ops.reshape(x, [1, 1, 2, 3, 2]);
      const y = ops.emit("MultiHeadAttention", [packed], { num_heads: 2 }, { domain: "com.microsoft" });
      y.shape = [1, 1, 4];
      return y;
    },
    /^MultiHeadAttention \(block\/.*must be separate, got them packed/,
  ],
  [
    "an operator without a rule",
    (ops, x) => ops.emit("MaxRoiPool", [ops.reshape(x, [1, 1, 3, 4]), ops.full([1, 5], 0)], { pooled_shape: [1, 1] }),
    /must have a gradient, got none for MaxRoiPool \(block\/MaxRoiPool_\d+\)\. Train only what comes after/,
  ],
];

describe("gradients refuse", () => {
  it.each(cases)("%s, naming the node and the reason", (_, build, message) => {
    expect(() => differentiateLayer(build)).toThrow(UnsupportedError);
    expect(() => differentiateLayer(build)).toThrow(message);
  });

  it("If, whose branches use what is differentiated, together with all else that has no rule", () => {
    const ops = new Ops().at("block");
    const x = ops.input("x", "float32", [2]);
    const branch = new Graph("branch", { outputs: [x] });
    const attributes = { then_branch: branch, else_branch: branch };
    const choice = ops.emit("If", [ops.input("condition", "bool", [])], attributes);
    const pooled = ops.emit("MaxRoiPool", [ops.reshape(choice, [1, 1, 1, 2]), ops.full([1, 5], 0)], {
      pooled_shape: [1, 1],
    });
    const loss = ops.reduceSum(pooled, { keepDims: false });
    expect(() => gradients(ops, loss, [x])).toThrow(/got none for If \(block\/If_\d+\), MaxRoiPool \(block\/.*\)\./);
  });
});
