import { expect, test } from "vitest";
import { DataError, OptionError } from "../errors.ts";
import type { Progress } from "../quantize/index.ts";
import { compareModels } from "./compare-models.ts";
import { evaluateModels } from "./evaluate-models.ts";
import { fakeModel, vectors } from "./fake-model.cases.ts";

const identity = (x: Float32Array): number[] => [...x];
const FAST = { warmupRuns: 0, minRuns: 5, maxRuns: 5, seconds: 0 };

/** Six classes; the right one has the given place in the order of scores. */
const byRank = (label: number, rank: number): number[] => {
  const scores = [0, 0, 0, 0, 0, 0];
  let next = 10;
  for (let i = 0, place = 0; i < 6; i++) {
    if (i === label) continue;
    scores[i] = place++ < rank ? next-- : -next--;
  }
  return scores;
};

test("top-1 and top-5 count the place of the right class, in percent with standard error", async () => {
  const samples = [byRank(0, 0), byRank(3, 0), byRank(5, 1), byRank(2, 4), byRank(1, 5)];
  const dataset = vectors(samples, [0, 3, 5, 2, 1]);
  const { models, predictions } = await evaluateModels([fakeModel("m", dataset, identity)], { timing: false });
  expect(models[0]).toMatchObject({ path: "m", count: 5, top1: 40, top5: 80, agreement: null, outputSqnrDb: null });
  // sqrt(0.4 * 0.6 / 5) = 0.21909
  expect(models[0]!.top1StandardError).toBeCloseTo(21.909, 3);
  expect([...predictions[0]!.slice(0, 2)]).toEqual([0, 3]);
});

test("of equal scores the first class wins, for top-1 and top-5 alike", async () => {
  const dataset = vectors(Array(6).fill([1, 1, 1, 1, 1, 1]), [0, 1, 2, 3, 4, 5]);
  const { models } = await evaluateModels([fakeModel("m", dataset, identity)], { timing: false });
  expect(models[0]!.top1).toBeCloseTo(100 / 6, 10);
  expect(models[0]!.top5).toBeCloseTo(500 / 6, 10);
});

test("a score that is not a number is never right", async () => {
  const dataset = vectors(
    [
      [Number.NaN, 0],
      [Number.NaN, Number.NaN],
    ],
    [0, 1],
  );
  const { models, predictions } = await evaluateModels([fakeModel("m", dataset, identity)], { timing: false });
  expect([models[0]!.top1, [...predictions[0]!]]).toEqual([0, [1, -1]]);
});

test("outputs [N, C, 1, 1] are scores too", async () => {
  const dataset = vectors([[0, 1, 0]], [1]);
  const model = fakeModel("m", dataset, identity, { outputShape: [3, 1, 1] });
  expect((await evaluateModels([model], { timing: false })).models[0]!.top1).toBe(100);
});

test("without labels there is no accuracy, but agreement and distance to the first model", async () => {
  const dataset = vectors([
    [3, 4],
    [0, 2],
  ]);
  const first = fakeModel("a", dataset, identity);
  const second = fakeModel("b", dataset, ([a, b]) => [a! + 1, b!]);
  const { models, sampleSqnrDb } = await evaluateModels([first, second], { timing: false });
  expect(models[1]).toMatchObject({ top1: null, top5: null, top1StandardError: null, outputMaxDifference: 1 });
  // Sample 0: 4 > 3 becomes 4 = 4, where the first class wins; sample 1 keeps its decision.
  expect(models[1]!.agreement).toBe(50);
  expect(models[1]!.outputSqnrDb).toBeCloseTo(10 * Math.log10((9 + 16 + 4) / 2), 10);
  expect(sampleSqnrDb[1]![1]).toBeCloseTo(10 * Math.log10(4), 10);
  const cosines = [(12 + 16) / (5 * Math.sqrt(32)), 4 / (2 * Math.sqrt(5))];
  expect(models[1]!.outputCosine).toBeCloseTo((cosines[0]! + cosines[1]!) / 2, 10);
});

test("the divergence is that of class probabilities, whether a model gives logits or those", async () => {
  const logits = vectors([[0, Math.log(3)]]);
  const first = fakeModel("a", logits, identity);
  const second = fakeModel("b", logits, ([a, b]) => [a! + 5, b! + 5 - Math.log(3)]);
  const { models } = await evaluateModels([first, second], { timing: false });
  // p = (1/4, 3/4), q = (1/2, 1/2)
  const expected = 0.25 * Math.log(0.5) + 0.75 * Math.log(1.5);
  expect(models[0]!.outputDivergence).toBeNull();
  expect(models[1]!.outputDivergence).toBeCloseTo(expected, 6);
  const probabilities = [first, second].map((model, i) =>
    fakeModel(model.path, logits, () => (i === 0 ? [0.25, 0.75] : [0.5, 0.5])),
  );
  const run = await evaluateModels(probabilities, { timing: false });
  expect(run.models[1]!.outputDivergence).toBeCloseTo(expected, 6);
});

test("equal models agree wholly: SQNR infinite", async () => {
  const dataset = vectors([[3, 4]]);
  const { models } = await evaluateModels([fakeModel("a", dataset, identity), fakeModel("b", dataset, identity)], {
    timing: false,
  });
  expect(models[1]).toMatchObject({ agreement: 100, outputSqnrDb: Number.POSITIVE_INFINITY, outputMaxDifference: 0 });
  expect(models[1]!.outputCosine).toBeCloseTo(1, 12);
});

test("language models are compared at each step, segmentation at each pixel, pictures by their values only", async () => {
  const dataset = vectors([[1, 0, 0, 1, 1, 0, 0, 1]]);
  // With the second half negated, two of four steps [4, 2] change their class; of the pixels [2, 2, 2], whose first class
  // wins ties, none does.
  const negate = (x: Float32Array): number[] => [...x].map((value, i) => (i < 4 ? value : -value));
  const agreement = async (outputShape: readonly number[]) => {
    const models = [identity, negate].map((apply, i) => fakeModel(String(i), dataset, apply, { outputShape }));
    return (await evaluateModels(models, { timing: false })).models[1]!.agreement;
  };
  expect(await agreement([4, 2])).toBe(50);
  expect(await agreement([2, 2, 2])).toBe(100);
  expect(await agreement([1, 2, 4])).toBeNull();
});

test("a model with a fixed batch runs in that, the last one filled up", async () => {
  const batches: number[] = [];
  const dataset = vectors(
    [
      [0, 1],
      [1, 0],
      [0, 1],
    ],
    [1, 0, 1],
  );
  const fixed = fakeModel("fixed", dataset, identity, { batch: 2, onRun: (batch) => batches.push(batch) });
  const { models } = await evaluateModels([fakeModel("free", dataset, identity), fixed], { timing: false });
  expect([models[1]!.top1, models[1]!.agreement, models[1]!.count, batches]).toEqual([100, 100, 3, [2, 2]]);
});

test("memory is bounded by the batch: a sample is read when its batch comes, and once for all models", async () => {
  let read = 0;
  const plain = vectors(Array.from({ length: 20 }, (_, i) => [i, 1]));
  const dataset = {
    ...plain,
    sample(index: number) {
      read++;
      return plain.sample(index);
    },
  };
  const ahead: number[] = [];
  const onProgress = ({ stage, done }: Progress): unknown => stage === "evaluate" && ahead.push(read - done);
  await evaluateModels([fakeModel("a", dataset, identity), fakeModel("b", dataset, identity)], {
    batchSize: 4,
    timing: false,
    onProgress: (progress) => void onProgress(progress),
  });
  expect(read).toBe(20);
  expect(Math.max(...ahead)).toBeLessThanOrEqual(8);
});

test("progress counts samples to the end, then the measuring", async () => {
  const events: Progress[] = [];
  const dataset = vectors([
    [1, 2],
    [2, 1],
    [3, 4],
  ]);
  await evaluateModels([fakeModel("a", dataset, identity)], {
    batchSize: 2,
    timing: FAST,
    onProgress: (e) => events.push(e),
  });
  expect(events.map(({ stage, done, total }) => `${stage} ${done}/${total}`)).toEqual([
    "evaluate 0/3",
    "evaluate 2/3",
    "evaluate 3/3",
    "measure speed 0/2",
    "measure speed 1/2",
    "measure speed 2/2",
  ]);
});

test("speed is measured in turn: as many runs of each, and a slow model shows", async () => {
  const dataset = vectors([
    [1, 2],
    [2, 1],
  ]);
  const order: string[] = [];
  const slow = fakeModel("slow", dataset, identity, {
    onRun: (batch) => {
      order.push(`slow ${batch}`);
      const end = performance.now() + 4;
      while (performance.now() < end);
    },
  });
  const fast = fakeModel("fast", dataset, identity, { onRun: (batch) => order.push(`fast ${batch}`) });
  const { evaluation, latencyRatio } = await compareModels(slow, fast, { timing: FAST });
  expect(evaluation.latencyRunsMs.map((runs) => runs.length)).toEqual([5, 5]);
  expect(order.slice(2, 6)).toEqual(["slow 1", "fast 1", "slow 1", "fast 1"]);
  expect(evaluation.models[0]!.latencyMs.median).toBeGreaterThan(3.9);
  expect(evaluation.models[0]!.latencyMs.p95).toBeGreaterThanOrEqual(evaluation.models[0]!.latencyMs.median);
  expect(evaluation.models[0]!.throughput).toBeLessThan(2000 / 3.9);
  expect(latencyRatio!.median).toBeLessThan(0.5);
});

test("a comparison names the samples decided differently and the error of the difference", async () => {
  const dataset = vectors(
    [
      [0, 1],
      [1, 0],
      [0, 1],
      [1, 0],
    ],
    [1, 0, 0, 0],
  );
  const flipSome = ([a, b]: Float32Array): number[] => (a! > b! ? [a!, b!] : [1, 0]);
  const comparison = await compareModels(fakeModel("a", dataset, identity), fakeModel("b", dataset, flipSome), {
    timing: false,
  });
  expect(comparison.disagreements).toEqual([
    { index: 0, sample: "sample 0", label: 1, referenceClass: 1, candidateClass: 0 },
    { index: 2, sample: "sample 2", label: 0, referenceClass: 1, candidateClass: 0 },
  ]);
  // One gained, one lost: no difference, standard error sqrt(2) / 4.
  expect(comparison.accuracyDifference).toBe(0);
  expect(comparison.accuracyDifferenceStandardError).toBeCloseTo((100 * Math.SQRT2) / 4, 10);
  expect(comparison.latencyRatio).toBeNull();
});

test("labels that do not fit the model are refused with the sample's name", async () => {
  const dataset = vectors(
    [
      [0, 1],
      [1, 0],
    ],
    [1, 2],
  );
  await expect(evaluateModels([fakeModel("m.onnx", dataset, identity)])).rejects.toThrow(
    "vectors: labels must be 0..1 for m.onnx, got 2 (sample 1).",
  );
  const named = { ...vectors([[0, 1, 0]], [1]), classNames: ["cat", "dog"] };
  await expect(evaluateModels([fakeModel("m.onnx", named, identity)])).rejects.toThrow(
    "vectors: must have the 3 classes of m.onnx, got 2 (cat, dog).",
  );
});

test("labels do not keep a model that is no classifier from being compared", async () => {
  const dataset = vectors([[0, 1, 2, 3]], [1]);
  const models = ["a", "b"].map((path) => fakeModel(path, dataset, identity, { outputShape: [1, 2, 2] }));
  const run = await evaluateModels(models, { timing: false });
  expect(run.models[1]).toMatchObject({ top1: null, agreement: null, outputSqnrDb: Number.POSITIVE_INFINITY });
});

test("outputs of different shape, data of different length, and unknown outputs are refused", async () => {
  const dataset = vectors([[0, 1]]);
  const first = fakeModel("a", dataset, identity);
  await expect(evaluateModels([first, fakeModel("b", dataset, () => [1, 2, 3])])).rejects.toThrow(
    "b: outputs must have the shape of the first model's, [2] a sample, got [3].",
  );
  await expect(evaluateModels([first, fakeModel("b", vectors([[0], [1]]), identity)])).rejects.toThrow(DataError);
  await expect(evaluateModels([{ ...first, output: "z" }])).rejects.toThrow("a: output must be one of y, got z.");
  await expect(evaluateModels([])).rejects.toThrow(OptionError);
});
