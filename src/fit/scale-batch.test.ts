import { beforeAll, describe, expect, it } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../test/support/engines.ts";
import type { Runtime } from "../runtime/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { toNumbers } from "../tensor/index.ts";
import { compile } from "../train/index.ts";
import { madeData } from "./made-data.cases.ts";
import { parseRecipe } from "./parse-recipe.ts";
import { planTraining } from "./plan-training.ts";
import type { Recipe, RecipeInput } from "./recipe.ts";
import { adaptRegime, countUpdates, scaleBatch } from "./scale-batch.ts";

function recipeOf(keys: Partial<RecipeInput> = {}): Recipe {
  const written = {
    model: { name: "mlp", width: 0.1 },
    data: { set: "made" },
    epochs: 2,
    batch: { size: 10 },
    ...keys,
  };
  return parseRecipe(written, "recipe");
}

/** {0: .1, 10: .01}, 50 epochs. */
const published = recipeOf({
  epochs: 50,
  batch: { size: 128 },
  learningRate: 0.1,
  schedule: { kind: "multi-step", milestones: [10] },
});

describe("scaleBatch and adaptRegime", () => {
  it("make {0: .1, 10: .01} of 50 epochs {0: .4, 160: .04} of 800 for a batch 16 times larger", () => {
    const large = adaptRegime(scaleBatch(published, { to: 2048 }), { reference: 128 });
    expect(large).toMatchObject({
      epochs: 800,
      batch: { size: 2048 },
      learningRate: 0.4,
      schedule: { kind: "multi-step", milestones: [160], factor: 0.1 },
    });
    // As many updates, but for what does not fill a batch in each epoch.
    const [before, after] = [countUpdates(published, 60_000), countUpdates(large, 60_000)];
    expect(before).toEqual({ stepsPerEpoch: 468, totalSteps: 23_400 });
    expect(after).toEqual({ stepsPerEpoch: 29, totalSteps: 23_200 });
    expect(countUpdates(large, 128 * 480).totalSteps).toBe(countUpdates(published, 128 * 480).totalSteps);
    // The recipe it was made of stays as it was.
    expect(published).toMatchObject({ epochs: 50, learningRate: 0.1 });
  });

  it("scale every rate of the schedule by the rule", () => {
    const rates = (rule: "sqrt" | "linear" | "none") => scaleBatch(published, { to: 2048, rule }).learningRate;
    expect([rates("sqrt"), rates("linear"), rates("none")]).toEqual([0.4, 1.6, 0.1]);
    const cosine = recipeOf({ learningRate: 0.1, schedule: { kind: "cosine", minimum: 0.01 }, batch: { size: 10 } });
    expect(scaleBatch(cosine, { to: 40 })).toMatchObject({ learningRate: 0.2, schedule: { minimum: 0.02 } });
    expect(scaleBatch(cosine, { to: 10 })).toEqual(cosine);
  });

  it("multiply all lengths by the ratio, rounded up", () => {
    const stepped = recipeOf({ epochs: 3, warmup: 0.5, schedule: { kind: "step", every: 1 }, batch: { size: 25 } });
    expect(adaptRegime(stepped, { reference: 10 })).toMatchObject({
      epochs: 9,
      warmup: 1.5,
      schedule: { every: 3 },
      evaluation: { every: 3 },
    });
    expect(adaptRegime(stepped, { reference: 25 })).toEqual(stepped);
  });

  it("refuse sizes that are none", () => {
    expect(() => scaleBatch(published, { to: 0 })).toThrow(
      "scaleBatch: to must be a whole number of at least 1, got 0.",
    );
    expect(() => adaptRegime(published, { reference: 1.5 })).toThrow(
      "adaptRegime: reference must be a whole number of at least 1, got 1.5.",
    );
    const chunked = recipeOf({ batch: { size: 40, chunks: 4 } });
    expect(() => scaleBatch(chunked, { to: 50 })).toThrow(
      "scaleBatch: to must be a multiple of batch.chunks, 4, got 50.",
    );
  });
});

describe("the keys of a recipe", () => {
  it("do the same", () => {
    const { batch: _, ...rest } = published;
    const large = recipeOf({ ...rest, batch: { size: 2048, chunks: 16, reference: 128, adaptRegime: true } });
    expect(countUpdates(large, 60_000)).toEqual({ stepsPerEpoch: 29, totalSteps: 23_200 });
    const data = madeData({ count: 45 });
    const keys: Partial<RecipeInput> = { learningRate: 0.1, schedule: { kind: "multi-step", milestones: [1] } };
    const plan = planTraining(recipeOf({ ...keys, batch: { size: 40, reference: 10, adaptRegime: true } }), data);
    expect(plan).toMatchObject({ stepsPerEpoch: 1, totalSteps: 8, batchSize: 40, evaluationEverySteps: 4 });
    const rate = plan.step.learningRate as (step: number) => number;
    expect([0, 3, 4, 7].map(rate)).toEqual([0.2, 0.2, 0.2 * 0.1, 0.2 * 0.1]);
    const linear = planTraining(recipeOf({ ...keys, batch: { size: 40, reference: 10, scaling: "linear" } }), data);
    expect(linear.totalSteps).toBe(2);
    expect((linear.step.learningRate as (step: number) => number)(0)).toBeCloseTo(0.4, 12);
  });

  it.each([
    [
      { batch: { size: 10, scaling: "sqrt" } },
      'recipe: batch.scaling: must be left out without batch.reference, got "sqrt".',
    ],
    [
      { batch: { size: 10, adaptRegime: true } },
      "recipe: batch.adaptRegime: must be left out without batch.reference, got true.",
    ],
    [
      { gradientNoise: {} },
      "recipe: gradientNoise.variance: must be given unless batch.size is above batch.reference, got nothing.",
    ],
    [{ schedule: { kind: "distance", thresholds: [2, 1] } }, "recipe: schedule.thresholds: must increase, got [2,1]."],
  ] as const)("are refused where they mean nothing: %j", (keys, message) => {
    expect(() => recipeOf(keys as never)).toThrow(message);
  });
});

it("chunks and ghost batches of one sample are refused where a sample has one number per channel", () => {
  const normalization = (ghost?: number) => ({ kind: "batch" as const, ...(ghost && { ghost }) });
  const plan = (keys: Partial<RecipeInput>, ghost?: number) => () =>
    planTraining(
      recipeOf({ model: { name: "mlp", width: 0.1, normalization: normalization(ghost) }, ...keys }),
      madeData(),
    );
  expect(plan({ batch: { size: 10, chunks: 10 } })).toThrow("a batch must have more than one number per channel");
  expect(plan({}, 1)).toThrow("a ghost batch must have more than one number per channel");
  expect(plan({ batch: { size: 10, chunks: 5 } })).not.toThrow();
  expect(plan({}, 2)).not.toThrow();
});

describeUnless(reasonWithoutOnnxRuntimeNode(), "plans for large batches", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });

  /** Losses of the steps of two epochs. */
  async function lossesOf(keys: Partial<RecipeInput>, data = madeData()) {
    const plan = planTraining(recipeOf({ learningRate: 0.02, ...keys }), data);
    const training = await compile(plan.step, { runtime, seed: 3 });
    const metrics: Record<string, number>[] = [];
    for (const epoch of [0, 1]) {
      for await (const batch of plan.batches(epoch, 0)) {
        const found = await training.run(batch);
        metrics.push(Object.fromEntries(Object.entries(found).map(([key, value]) => [key, toNumbers(value)[0]!])));
      }
    }
    await training.release();
    return metrics;
  }
  const losses = async (...of: Parameters<typeof lossesOf>) => (await lossesOf(...of)).map(({ loss }) => loss!);

  it("multiply samples' losses by noise, by default as much as the smaller batch has", async () => {
    const schedule = { kind: "constant" } as const;
    const reference = { size: 20, reference: 10, scaling: "none" } as const;
    const plain = await losses({ schedule, batch: { size: 20 } });
    const byDefault = await losses({ schedule, batch: reference, gradientNoise: {} });
    expect(byDefault).toEqual(await losses({ schedule, batch: { size: 20 }, gradientNoise: { variance: 1 } }));
    expect(byDefault[0]).not.toBeCloseTo(plain[0]!, 3);
    const none = await losses({ schedule, batch: { size: 20 }, gradientNoise: { variance: 0 } });
    none.forEach((loss, i) => void expect(loss).toBeCloseTo(plain[i]!, 5));
    const text = madeData({ kind: "tokens", sampleShape: [6], classes: 12 });
    const model = { name: "char-lstm", width: 0.1 };
    const [tokens, noisy] = [
      await losses({ model }, text),
      await losses({ model, gradientNoise: { variance: 0 } }, text),
    ];
    noisy.forEach((loss, i) => void expect(loss).toBeCloseTo(tokens[i]!, 5));
  });

  it("forget the velocity at each epoch", async () => {
    const reset = await losses({ optimizer: { kind: "sgd", resetMomentumEachEpoch: true } });
    const plain = await losses({ optimizer: { kind: "sgd" } });
    expect(reset.slice(0, 5)).toEqual(plain.slice(0, 5));
    expect(reset.slice(5)).not.toEqual(plain.slice(5));
  });

  it("fall by distance", async () => {
    const found = await lossesOf({ schedule: { kind: "distance", thresholds: [0.05, 1e6], factor: 0.5 } });
    const last = found.at(-1)!;
    expect(found[0]).toMatchObject({ distance: 0, learningRateFactor: 1 });
    expect(last.distance).toBeGreaterThan(0.05);
    expect(last.learningRateFactor).toBe(0.5);
  });
});
