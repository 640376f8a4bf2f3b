import { beforeAll, describe, expect, it } from "vitest";
import { buildScope } from "../../test/nn/build-scope.ts";
import { runLayer } from "../../test/nn/run-layer.ts";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../test/support/engines.ts";
import { OptionError } from "../errors.ts";
import type { Runtime } from "../runtime/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { float32, tensorOf, toNumbers } from "../tensor/index.ts";
import { compile, trainStep } from "../train/index.ts";
import { dropout } from "./dropout.ts";

describe("dropout", () => {
  it("writes nothing outside training, or for probability 0", () => {
    const use = buildScope("", false);
    const x = use.ops.input("x", "float32", [2, 3]);
    expect(dropout(0.9)(x, use.scope)).toBe(x);
    const training = buildScope();
    const z = training.ops.input("z", "float32", [2, 3]);
    expect(dropout(0)(z, training.scope)).toBe(z);
  });

  it("refuses what is no probability, or would drop all", () => {
    for (const probability of [-0.1, 1, Number.NaN]) expect(() => dropout(probability)).toThrow(OptionError);
    expect(() => dropout(1)).toThrow("dropout: probability must be at least 0 and less than 1, got 1.");
  });

  it("needs a program with random values", () => {
    const { ops, scope } = buildScope("drop");
    expect(() => dropout()(ops.input("x", "float32", [2]), scope)).toThrow(
      /^drop: random values are for training steps/,
    );
  });
});

describeUnless(reasonWithoutOnnxRuntimeNode(), "dropout in a step", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });

  it("drops elements whose number is below the probability, and lets gradients pass where elements do", async () => {
    const { y, gradients } = await runLayer(runtime, ({ x }, scope) => dropout(0.25)(x!, scope), {
      inputs: { x: float32([4], [3, 6, 9, 12]) },
      random: (ops) => ({
        uniform: (shape) => ops.constant(tensorOf("float32", shape, [0.2, 0.25, 0.9, 0])),
        normal: (shape) => ops.full(shape, 0),
      }),
      weights: (shape) => float32(shape, [1, 1, 2, 1]),
    });
    expect(toNumbers(y)).toEqual(Float64Array.of(0, Math.fround(6 * Math.fround(4 / 3)), 12, 0));
    expect(toNumbers(gradients.x!)).toEqual(Float64Array.of(0, Math.fround(4 / 3), Math.fround(8 / 3), 0));
  });

  it("keeps the mean, differs from step to step, and is the same for the same seed", async () => {
    const step = trainStep({
      inputs: { x: { shape: [100, 1000] } },
      loss: ({ x }, scope) => {
        const y = dropout(0.3)(x!, scope);
        const zero = scope.ops.cast(scope.ops.equal(y, 0), "float32");
        return {
          loss: scope.ops.reduceMean(y, { keepDims: false }),
          dropped: scope.ops.reduceMean(zero, { keepDims: false }),
        };
      },
      optimizer: { learningRate: 0, apply: () => undefined },
    });
    const means = async (seed: number) => {
      const training = await compile(step, { runtime, seed });
      const x = float32([100, 1000], new Float32Array(100_000).fill(1));
      const results = [await training.run({ x }), await training.run({ x })];
      await training.release();
      return results.map(({ loss, dropped }) => [toNumbers(loss!)[0]!, toNumbers(dropped!)[0]!] as const);
    };
    const first = await means(1);
    for (const [mean, dropped] of first) {
      // Four standard deviations of 100,000 draws: sqrt(0.3 0.7 / 100,000) = 0.00145; the mean's is divided by 0.7.
      expect(Math.abs(dropped - 0.3)).toBeLessThan(0.0058);
      expect(Math.abs(mean - 1)).toBeLessThan(0.0083);
    }
    expect(first[0]).not.toEqual(first[1]);
    expect(await means(1)).toEqual(first);
    expect(await means(2)).not.toEqual(first);
  });
});
