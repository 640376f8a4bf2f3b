import { beforeAll, expect, it } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../test/support/engines.ts";
import { datasetFromArrays, trainingBatches } from "../data/index.ts";
import { sgd } from "../optim/index.ts";
import type { Runtime } from "../runtime/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { float32, seededRandom, type Tensor, toNumbers } from "../tensor/index.ts";
import { compile, trainStep } from "../train/index.ts";
import { zeros as zero } from "./initializers.ts";
import { noisyMean } from "./noisy-mean.ts";

/** Numbers of a gradient: the more, the steadier the ratios of variances. */
const FEATURES = 8;

const dataset = (count: number) => {
  const random = seededRandom(11);
  const x = float32(
    [count, FEATURES],
    Float32Array.from({ length: count * FEATURES }, () => random.normal()),
  );
  return datasetFromArrays(new Map([["x", x]]), { description: "made", labels: new Int32Array(count) });
};

/** Mean, and mean of squared distances from `centre`, of vectors. */
class Moments {
  count = 0;
  squares = 0;
  readonly sum = new Float64Array(FEATURES);
  readonly #centre: ArrayLike<number>;

  constructor(centre: ArrayLike<number> = new Float64Array(FEATURES)) {
    this.#centre = centre;
  }

  add(vector: ArrayLike<number>): void {
    this.count++;
    for (let i = 0; i < FEATURES; i++) {
      this.sum[i]! += vector[i]!;
      this.squares += (vector[i]! - this.#centre[i]!) ** 2;
    }
  }

  get mean(): Float64Array {
    return this.sum.map((sum) => sum / this.count);
  }

  get variance(): number {
    return this.squares / this.count;
  }
}

/** Mean gradient and S, summed over its diagonal, of samples whose gradients are themselves. */
function populationOf(tensor: Tensor) {
  const numbers = toNumbers(tensor);
  const rows = Array.from({ length: numbers.length / FEATURES }, (_, row) =>
    Array.from({ length: FEATURES }, (__, i) => numbers[row * FEATURES + i]!),
  );
  const first = new Moments();
  for (const row of rows) first.add(row);
  const centred = new Moments(first.mean);
  for (const row of rows) centred.add(row);
  // Divided by n - 1: with it M cov / S = 1 - M / N is exact.
  return { mean: first.mean, variance: centred.squares / (rows.length - 1) };
}

describeUnless(reasonWithoutOnnxRuntimeNode(), "noisyMean", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });

  /** Gradients of batches, as a step has them: the loss of a sample is w . x, its gradient x. */
  async function gradients({ count = 256, batchSize = 32, variance = 0, draws = 4000 }) {
    const data = dataset(count);
    const step = trainStep({
      inputs: { x: { shape: [batchSize, FEATURES] }, label: { shape: [batchSize], dtype: "int64" } },
      optimizer: sgd({ learningRate: 1 }),
      loss: ({ x }, scope) => {
        const w = scope.parameter("w", [FEATURES], zero());
        return noisyMean(scope.ops.mul(x!, w), scope, { variance });
      },
    });
    const training = await compile(step, { runtime, seed: 5, loop: true });
    const { x } = await (async () => {
      for await (const batch of trainingBatches(data, { batchSize: count, epoch: 0 })) return batch;
      throw new Error("no batch");
    })();
    // The loss is the mean over places too.
    const all = populationOf(x!);
    const found = new Moments(all.mean);
    let before = new Float64Array(FEATURES);
    for (let epoch = 0; found.count < draws; epoch++) {
      for await (const batch of trainingBatches(data, { batchSize, epoch, seed: 2 })) {
        await training.run({ x: batch.x!, label: batch.label! });
        const w = Float64Array.from(toNumbers((await training.variables()).w!));
        found.add(w.map((value, i) => FEATURES * (before[i]! - value)));
        before = w;
      }
    }
    await training.release();
    return { found, all };
  }

  it("of plain batches drawn without replacement: M cov / S = 1 - M / N", async () => {
    const { found, all } = await gradients({ count: 64, batchSize: 16 });
    // The spread of the ratio over so many draws of eight numbers is below 1 %.
    expect((16 * found.variance) / all.variance / (1 - 16 / 64)).toBeGreaterThan(0.95);
    expect((16 * found.variance) / all.variance / (1 - 16 / 64)).toBeLessThan(1.05);
  });

  it("gives a batch of B_L the covariance of one of B_S, and leaves the mean", async () => {
    const [count, large, small] = [1024, 128, 16];
    const noisy = await gradients({ count, batchSize: large, variance: large / small - 1 });
    const target = (1 / small - 1 / count) * noisy.all.variance;
    expect(noisy.found.variance / target).toBeGreaterThan(0.9);
    expect(noisy.found.variance / target).toBeLessThan(1.1);
    // Five standard errors.
    const tolerance = 5 * Math.sqrt(target / FEATURES / noisy.found.count);
    noisy.found.mean.forEach((mean, i) => void expect(Math.abs(mean - noisy.all.mean[i]!)).toBeLessThan(tolerance));
  });

  it("shares the factor among the places of a sample, and draws it anew", async () => {
    const step = trainStep({
      inputs: { x: { shape: [1, 2] } },
      optimizer: sgd({ learningRate: 1 }),
      loss: ({ x }, scope) => noisyMean(scope.ops.mul(x!, scope.parameter("w", [2], zero())), scope, { variance: 4 }),
    });
    const training = await compile(step, { runtime, seed: 1 });
    const steps: number[][] = [];
    let before = [0, 0];
    for (let i = 0; i < 2; i++) {
      await training.run({ x: float32([1, 2], [1, 2]) });
      const w = Array.from(toNumbers((await training.variables()).w!));
      steps.push(w.map((value, k) => value - before[k]!));
      before = w;
    }
    await training.release();
    for (const [first, second] of steps) expect(second! / first!).toBeCloseTo(2, 4);
    expect(steps[0]![0]).not.toBeCloseTo(steps[1]![0]!, 3);
  });

  it("refuses a negative variance", () => {
    expect(() =>
      trainStep({
        inputs: { x: { shape: [2] } },
        optimizer: sgd({ learningRate: 1 }),
        loss: ({ x }, scope) => noisyMean(x!, scope, { variance: -1 }),
      }),
    ).toThrow("noisyMean: variance must be at least 0, got -1.");
  });
});
