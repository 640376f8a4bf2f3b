import { beforeAll, expect, it } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../../test/support/engines.ts";
import { datasetFromArrays, trainingBatches } from "../../data/index.ts";
import { zeros as zero } from "../../nn/index.ts";
import { sgd } from "../../optim/index.ts";
import type { Runtime } from "../../runtime/index.ts";
import { nodeRuntime } from "../../runtime/node.ts";
import { float32, seededRandom } from "../../tensor/index.ts";
import { trainStep } from "../../train/index.ts";
import { recordFit, smallPlan } from "../fit.cases.ts";
import { criticalBatch, type GradientSquares, gradientNoiseScale } from "./gradient-noise-scale.ts";

const FEATURES = 16;
const SAMPLES = 4096;

/** Samples whose gradients are N(0.1, 1) in each of sixteen numbers: tr(S) = 16, |G|^2 = 0.16, quotient 100. */
function plan() {
  const random = seededRandom(3);
  const numbers = Float32Array.from({ length: SAMPLES * FEATURES }, () => 0.1 + random.normal());
  const x = float32([SAMPLES, FEATURES], numbers);
  const data = datasetFromArrays(new Map([["x", x]]), { description: "made", labels: new Int32Array(SAMPLES) });
  return {
    ...smallPlan(),
    step: trainStep({
      inputs: { x: { shape: [64, FEATURES] }, label: { shape: [64], dtype: "int64" } },
      optimizer: sgd({ learningRate: 0.1, momentum: 0.9 }),
      loss: ({ x }, scope) => {
        const { ops } = scope;
        const w = scope.parameter("w", [FEATURES], zero());
        return ops.mul(ops.reduceMean(ops.mul(x!, w), { keepDims: false }), FEATURES);
      },
    }),
    batches: (epoch: number, firstBatch: number) =>
      trainingBatches(data, { batchSize: 64, epoch, firstBatch, seed: 1 }),
    stepsPerEpoch: 64,
    totalSteps: 64,
    batchSize: 64,
    parts: [],
  };
}

describeUnless(reasonWithoutOnnxRuntimeNode(), "gradientNoiseScale", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });

  it("estimates noise, gradient and their quotient from parts of batches", async () => {
    const { events } = await recordFit(plan(), runtime, { probes: { noise: gradientNoiseScale({}, { steps: 1 }) } });
    const found = events.filter(({ type }) => type === "probe").map(({ values }) => values as GradientSquares);
    expect(found).toHaveLength(64);
    const mean = (key: keyof GradientSquares) => found.reduce((sum, one) => sum + one[key], 0) / 64;
    // Of 64 measurements: tr(S) within 10 %, |G|^2 within a factor of 2 (its standard error is some 15 %).
    expect(mean("noise") / 16).toBeGreaterThan(0.9);
    expect(mean("noise") / 16).toBeLessThan(1.1);
    expect(mean("gradientSquared") / 0.16).toBeGreaterThan(0.5);
    expect(mean("gradientSquared") / 0.16).toBeLessThan(2);
    expect(criticalBatch(found)).toBeCloseTo(mean("noise") / mean("gradientSquared"), 9);
  });

  it("leaves the training as it is, and says nothing where noise drowns the gradient", async () => {
    const probed = await recordFit(smallPlan(), runtime, { probes: { noise: gradientNoiseScale({ parts: 2 }) } });
    expect(probed.result.variables).toEqual((await recordFit(smallPlan(), runtime)).result.variables);
    expect(criticalBatch([{ gradientSquared: -1, noise: 1 }])).toBeUndefined();
    const measured = [-1, 3].map((gradientSquared) => ({ gradientSquared, noise: 3 }));
    expect(criticalBatch(measured)).toBe(3);
  });

  it("refuses parts that are none", async () => {
    expect(() => gradientNoiseScale({ parts: 1 })).toThrow(
      "gradientNoiseScale: parts must be a whole number of at least 2, got 1.",
    );
    await expect(
      recordFit(smallPlan(), runtime, { probes: { noise: gradientNoiseScale({ parts: 3 }) } }),
    ).rejects.toThrow("gradientNoiseScale: parts must divide the batch of 4 samples, got 3.");
  });
});
