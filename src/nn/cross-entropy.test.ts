import { beforeAll, describe, expect, it } from "vitest";
import { buildScope } from "../../test/nn/build-scope.ts";
import { runLayer } from "../../test/nn/run-layer.ts";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../test/support/engines.ts";
import { DTypeError, OptionError, ShapeError } from "../errors.ts";
import type { Runtime } from "../runtime/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { type DType, float32, int64, toNumbers } from "../tensor/index.ts";
import { type CrossEntropyOptions, crossEntropy } from "./cross-entropy.ts";
import { negativeLogLikelihood } from "./negative-log-likelihood.ts";

describe("crossEntropy", () => {
  const build = (shape: readonly number[], dtype: DType, options: CrossEntropyOptions = {}) => {
    const { ops, scope } = buildScope("head");
    return crossEntropy(ops.input("scores", "float32", [8, 10]), ops.input("target", dtype, shape), scope, options);
  };

  it("refuses targets that do not fit", () => {
    expect(() => build([8, 1], "int64")).toThrow(ShapeError);
    expect(() => build([8, 1], "int64")).toThrow(
      "crossEntropy (head): labels must be shaped as the scores [8, 10] without their classes (axis 1), got [8, 1].",
    );
    expect(() => build([8], "uint8")).toThrow(DTypeError);
    expect(() => build([8], "uint8")).toThrow(
      "crossEntropy (head): labels must be int64 or int32, got uint8. Convert them with cast.",
    );
    expect(() => build([8], "float32")).toThrow(
      "crossEntropy (head): target must be labels (int64) shaped as the scores without their classes, or probabilities " +
        "shaped as the scores, float32 [8, 10], got float32 [8].",
    );
  });

  it("refuses options out of range, and those that would be ignored", () => {
    expect(() => build([8], "int64", { labelSmoothing: 1.5 })).toThrow(OptionError);
    expect(() => build([8], "int64", { classWeights: [1, 2] })).toThrow(
      "crossEntropy (head): classWeights must have one number per class (10), got 2.",
    );
    expect(() => build([8, 10], "float32", { ignoreIndex: 0 })).toThrow(
      "crossEntropy (head): ignoreIndex must be left out where the target is probabilities, got 0.",
    );
  });

  it("writes operators that WebGPU has", () => {
    const { ops, scope } = buildScope();
    crossEntropy(ops.input("scores", "float32", [8, 10]), ops.input("target", "int64", [8]), scope, {
      classWeights: new Array<number>(10).fill(2),
      labelSmoothing: 0.1,
      ignoreIndex: -1,
    });
    const operators = new Set(ops.writer.graph.nodes.map(({ operator }) => operator));
    expect([...operators].filter((name) => /LogSoftmax|Loss|OneHot|Sign/.test(name))).toEqual([]);
  });
});

describeUnless(reasonWithoutOnnxRuntimeNode(), "losses of labels, run", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });
  const weights = (shape: readonly number[]) => float32(shape, [1]);

  it("are right for scores that overflow when exponentiated", async () => {
    const inputs = { x: float32([2, 3], [1000, 0, -1000, -200, -200, -200]), target: int64([1, 0]) };
    const { y, gradients } = await runLayer(
      runtime,
      ({ x, target }, scope) => crossEntropy(x!, target!, scope, { reduction: "sum" }),
      { inputs, weights },
    );
    expect(toNumbers(y)[0]).toBeCloseTo(1000 + Math.log(3), 3);
    [1, -1, 0, -2 / 3, 1 / 3, 1 / 3].forEach((expected, index) => {
      expect(toNumbers(gradients.x!)[index]).toBeCloseTo(expected, 6);
    });
  });

  it("do not count ignored examples at all", async () => {
    const scores = [0.1, 0.7, -0.4, 2, 0, 1];
    for (const loss of [crossEntropy, negativeLogLikelihood]) {
      const both = await runLayer(runtime, ({ x, target }, scope) => loss(x!, target!, scope, { ignoreIndex: -100 }), {
        inputs: { x: float32([2, 3], scores), target: int64([1, -100]) },
        weights,
      });
      const one = await runLayer(runtime, ({ x, target }, scope) => loss(x!, target!, scope), {
        inputs: { x: float32([1, 3], scores.slice(0, 3)), target: int64([1]) },
        weights,
      });
      expect(both.y.data).toEqual(one.y.data);
      expect(Array.from(toNumbers(both.gradients.x!))).toEqual([...toNumbers(one.gradients.x!), 0, 0, 0]);
    }
  });

  it("take labels of 32 bits", async () => {
    const { y } = await runLayer(
      runtime,
      ({ x, target }, scope) => crossEntropy(x!, scope.ops.cast(target!, "int32"), scope, { ignoreIndex: 2 }),
      { inputs: { x: float32([2, 3], [0, 0, 0, 5, 6, 7]), target: int64([1, 2]) } },
    );
    expect(toNumbers(y)[0]).toBeCloseTo(Math.log(3), 6);
  });
});
