import { beforeAll, describe, expect, it } from "vitest";
import { buildScope } from "../../test/nn/build-scope.ts";
import { runLayer } from "../../test/nn/run-layer.ts";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../test/support/engines.ts";
import { DTypeError, ShapeError } from "../errors.ts";
import type { Runtime } from "../runtime/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { type DType, float32, int64, toNumbers } from "../tensor/index.ts";
import { crossEntropy } from "./cross-entropy.ts";
import { mixedCrossEntropy } from "./mixed-cross-entropy.ts";

describe("mixedCrossEntropy", () => {
  const build = (shape: readonly number[], dtype: DType = "float32") => {
    const { ops, scope } = buildScope("head");
    const [label, label2] = [ops.input("a", "int64", [8]), ops.input("b", "int64", [8])];
    const mix = ops.input("mix", dtype, shape);
    return mixedCrossEntropy(ops.input("scores", "float32", [8, 10]), { label, label2, mix }, scope);
  };

  it("refuses shares that do not fit", () => {
    expect(() => build([8])).not.toThrow();
    expect(() => build([8, 1])).toThrow(ShapeError);
    expect(() => build([4])).toThrow(
      "mixedCrossEntropy (head): mix must have one number per sample of the scores [8, 10], got [4].",
    );
    expect(() => build([8], "float64")).toThrow(DTypeError);
  });
});

describeUnless(reasonWithoutOnnxRuntimeNode(), "mixedCrossEntropy, run", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });

  const weights = (shape: readonly number[]) => float32(shape, shape.length === 0 ? [1] : [1, -2]);
  const scores = [0.1, 0.7, -0.4, 2, 0, 1];
  const [label, label2, mix] = [
    [0, 2],
    [1, 2],
    [0.25, 0.5],
  ];

  it.each(["mean", "sum", "none"] as const)("is crossEntropy with mixed probabilities: %s", async (reduction) => {
    const options = { labelSmoothing: 0.1, reduction };
    const mixed = await runLayer(
      runtime,
      ({ x, a, b, m }, scope) => mixedCrossEntropy(x!, { label: a!, label2: b!, mix: m! }, scope, options),
      { inputs: { x: float32([2, 3], scores), a: int64(label), b: int64(label2), m: float32([2], mix) }, weights },
    );
    const target = float32([2, 3], [0.25, 0.75, 0, 0, 0, 1]);
    const plain = await runLayer(runtime, ({ x, t }, scope) => crossEntropy(x!, t!, scope, options), {
      inputs: { x: float32([2, 3], scores), t: target },
      weights,
    });
    closeTo(toNumbers(mixed.y), toNumbers(plain.y));
    closeTo(toNumbers(mixed.gradients.x!), toNumbers(plain.gradients.x!));
  });

  it("takes places: one share for all of a sample", async () => {
    const transposed = [0.1, 2, 0.7, 0, -0.4, 1];
    const { y } = await runLayer(
      runtime,
      ({ x, a, b, m }, scope) =>
        mixedCrossEntropy(x!, { label: a!, label2: b!, mix: m! }, scope, { reduction: "none" }),
      {
        inputs: {
          x: float32([1, 3, 2], transposed),
          a: int64(label, [1, 2]),
          b: int64(label2, [1, 2]),
          m: float32([1], [0.25]),
        },
      },
    );
    const softmax = (row: readonly number[], at: number) =>
      -Math.log(Math.exp(row[at]!) / row.reduce((sum, score) => sum + Math.exp(score), 0));
    const first = 0.25 * softmax(scores.slice(0, 3), 0) + 0.75 * softmax(scores.slice(0, 3), 1);
    closeTo(toNumbers(y), [first, softmax(scores.slice(3), 2)]);
  });
});

/** Float32 has 6e-8; the losses here are below 3. */
function closeTo(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) expect(actual[i]).toBeCloseTo(expected[i]!, 5);
}
