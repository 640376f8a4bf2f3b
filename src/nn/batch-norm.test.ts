import { beforeAll, describe, expect, it } from "vitest";
import { buildScope } from "../../test/nn/build-scope.ts";
import { runLayer } from "../../test/nn/run-layer.ts";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../test/support/engines.ts";
import { ShapeError } from "../errors.ts";
import type { Runtime } from "../runtime/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { float32, toNumbers } from "../tensor/index.ts";
import { compile, trainStep } from "../train/index.ts";
import { type BatchNormOptions, batchNorm } from "./batch-norm.ts";

describe("batchNorm", () => {
  it("refuses a single number per channel while training", () => {
    const build = () => {
      const { ops, scope } = buildScope("stem.norm");
      return batchNorm()(ops.input("x", "float32", [1, 4]), scope);
    };
    expect(build).toThrow(ShapeError);
    expect(build).toThrow(
      "batchNorm (stem.norm): a batch must have more than one number per channel, got [1, 4]. " +
        "Take larger batches, or another normalization.",
    );
  });

  it.each([
    [
      { deviation: { top: 3 } },
      [5, 4],
      "a batch must have at least 6 numbers per channel for the deviation top-3, got [5, 4].",
    ],
    [{ deviation: { top: 9 } }, [4, 2], "a batch must have at least 18 numbers per channel for the deviation top-9"],
    [
      { deviation: { top: 2 }, ghost: 3 },
      [9, 2],
      "a ghost batch must have at least 4 numbers per channel for the deviation top-2, got 3 of [9, 2] with ghost 3.",
    ],
    [{ ghost: 1 }, [4, 2], "a ghost batch must have more than one number per channel, got 1 of [4, 2] with ghost 1."],
    [
      { deviation: { range: 3 } },
      [8, 2, 9],
      "the examples of a batch must fall into 3 equal chunks for the range, got 8 of [8, 2, 9].",
    ],
  ] as const)("refuses batches that are too small: %j", (options, shape, message) => {
    const build = () => {
      const { ops, scope } = buildScope("stem.norm");
      return batchNorm(options)(ops.input("x", "float32", shape), scope);
    };
    expect(build).toThrow(ShapeError);
    expect(build).toThrow(`batchNorm (stem.norm): ${message}`);
  });

  it.each([
    [
      { deviation: "l3" },
      'batchNorm: deviation must be "l2", "l1", "l-infinity", "range", "none", { p }, { top } or { range }, got "l3".',
    ],
    [
      { deviation: { p: 0.5 } },
      'deviation.p must be a number of at least 1, got 0.5. The largest magnitude is "l-infinity".',
    ],
    [{ deviation: { top: 0 } }, "deviation.top must be a whole number of at least 1, got 0."],
    [{ constant: "paper" }, 'constant must be "exact", "reference" or a number with the deviation l2, got "paper".'],
    [{ constant: 0 }, "constant must be a number above 0, got 0."],
    [{ ghost: 2.5 }, "ghost must be a whole number of at least 1, got 2.5."],
  ] as const)("refuses options without meaning: %j", (options, message) => {
    expect(() => batchNorm(options as BatchNormOptions)).toThrow(message);
  });

  it("keeps statistics while training only, and has parameters only when it is affine", () => {
    const training = buildScope("", true);
    batchNorm()(training.ops.input("x", "float32", [4, 3]), training.scope);
    expect(training.updated).toEqual(["runningMean", "runningVariance"]);
    const use = buildScope("", false);
    batchNorm({ affine: false })(use.ops.input("x", "float32", [4, 3]), use.scope);
    expect(use.updated).toEqual([]);
    expect(use.shapes()).toEqual({ runningMean: [3], runningVariance: [3] });
  });
});

describeUnless(reasonWithoutOnnxRuntimeNode(), "running statistics", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });

  it("are averages of means and unbiased variances, step by step", async () => {
    const step = trainStep({
      inputs: { x: { shape: [4, 1] } },
      loss: ({ x }, scope) => scope.ops.reduceMean(batchNorm({ momentum: 0.25 })(x!, scope), { keepDims: false }),
      optimizer: { learningRate: 0, apply: () => undefined },
    });
    const training = await compile(step, { runtime });
    const batches = [
      [1, 2, 3, 6],
      [-1, 0, 2, 7],
      [5, 5, 5, 5],
    ];
    let [mean, variance] = [0, 1];
    for (const batch of batches) {
      await training.run({ x: float32([4, 1], batch) });
      const own = batch.reduce((a, b) => a + b) / 4;
      mean = 0.75 * mean + 0.25 * own;
      variance = 0.75 * variance + (0.25 * batch.reduce((sum, x) => sum + (x - own) ** 2, 0)) / 3;
      const { runningMean, runningVariance } = await training.variables();
      // Exact but for the rounding of a few float32 operations.
      expect(toNumbers(runningMean!)[0]).toBeCloseTo(mean, 6);
      expect(toNumbers(runningVariance!)[0]).toBeCloseTo(variance, 5);
    }
    await training.release();
  });

  it("normalize in use, whatever the batch is", async () => {
    const { y } = await runLayer(runtime, ({ x }, scope) => batchNorm({ epsilon: 0 })(x!, scope), {
      inputs: { x: float32([1, 2], [5, 5]) },
      training: false,
      variable: (path) =>
        path === "runningMean"
          ? float32([2], [1, 3])
          : path === "runningVariance"
            ? float32([2], [4, 0.25])
            : undefined,
    });
    expect(toNumbers(y)).toEqual(Float64Array.of(2, 4));
  });

  it("stay right far from zero", async () => {
    const far = [10_000, 10_001, 10_002, 10_003];
    const { y, updates } = await runLayer(runtime, ({ x }, scope) => batchNorm()(x!, scope), {
      inputs: { x: float32([4, 1], far) },
    });
    const deviation = Math.sqrt(1.25 + 1e-5);
    // The mean of squares minus the square of the mean would have no digit left here.
    toNumbers(y).forEach((value, index) => {
      expect(value).toBeCloseTo((index - 1.5) / deviation, 3);
    });
    expect(toNumbers(updates.runningVariance!)[0]).toBeCloseTo(0.9 + (0.1 * 5) / 3, 3);
  });
});
