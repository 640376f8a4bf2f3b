import { describe, expect, it } from "vitest";
import { float32, Tensor } from "../tensor/index.ts";
import { cropAndFlip } from "./crop-and-flip.ts";
import { type Dataset, datasetFromArrays, selectSamples } from "./dataset.ts";
import { mixup } from "./mixup.ts";
import { evaluationBatches, trainingBatches } from "./training-batches.ts";

const COUNT = 10;
const dataset = datasetFromArrays(
  new Map([
    [
      "x",
      float32(
        [COUNT, 2],
        Array.from({ length: 2 * COUNT }, (_, i) => i),
      ),
    ],
  ]),
  {
    description: "numbers",
    labels: Int32Array.from({ length: COUNT }, (_, i) => i),
  },
);

async function labelsOf(options: Parameters<typeof trainingBatches>[1]): Promise<number[][]> {
  const labels: number[][] = [];
  for await (const { x, label } of trainingBatches(dataset, options)) {
    const rows = Array.from(label!.data as BigInt64Array, Number);
    expect([...(x!.data as Float32Array)]).toEqual(rows.flatMap((row) => [2 * row, 2 * row + 1]));
    labels.push(rows);
  }
  return labels;
}

describe("trainingBatches", () => {
  it("gives every sample with its label once, in an order of each epoch and seed", async () => {
    const first = await labelsOf({ batchSize: 5, epoch: 0 });
    expect(first.flat().sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(await labelsOf({ batchSize: 5, epoch: 0 })).toEqual(first);
    expect(await labelsOf({ batchSize: 5, epoch: 1 })).not.toEqual(first);
    expect(await labelsOf({ batchSize: 5, epoch: 0, seed: 1 })).not.toEqual(first);
  });

  it("leaves out a last batch that is not full, unless asked for", async () => {
    expect((await labelsOf({ batchSize: 4, epoch: 0 })).map((batch) => batch.length)).toEqual([4, 4]);
    expect((await labelsOf({ batchSize: 4, epoch: 0, last: "keep" })).map((batch) => batch.length)).toEqual([4, 4, 2]);
  });

  it("refuses data without labels, and batches larger than the data", async () => {
    const unlabelled = { ...dataset, labels: undefined };
    await expect(trainingBatches(unlabelled, { batchSize: 2, epoch: 0 }).next()).rejects.toThrow(
      "numbers: samples must have labels to train on, got none.",
    );
    await expect(labelsOf({ batchSize: 11, epoch: 0 })).rejects.toThrow(
      "numbers: must have at least one batch of 11, got 10 samples.",
    );
  });

  it("fills a last batch with samples of weight 0 when asked to", async () => {
    const batches = await collect(trainingBatches(dataset, { batchSize: 4, epoch: 0, last: "pad", weight: "weight" }));
    expect(batches.map(({ weight }) => numbers(weight!))).toEqual([
      [1, 1, 1, 1],
      [1, 1, 1, 1],
      [1, 1, 0, 0],
    ]);
    const real = batches.flatMap(({ label, weight }) => numbers(label!).filter((_, i) => numbers(weight!)[i] === 1));
    expect(real.sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    // What fills a batch are real samples too: padding one sample to a batch of many goes round.
    const [one] = await collect(trainingBatches(selectSamples(dataset, [7]), { batchSize: 3, epoch: 0, last: "pad" }));
    expect(numbers(one!.label!)).toEqual([7, 7, 7]);
  });

  it("starts within a pass as the whole pass goes on there", async () => {
    const options = { batchSize: 3, epoch: 2, seed: 5 };
    const whole = await labelsOf(options);
    expect(await labelsOf({ ...options, firstBatch: 2 })).toEqual(whole.slice(2));
    expect(await labelsOf({ ...options, firstBatch: 3 })).toEqual([]);
    await expect(labelsOf({ ...options, firstBatch: 4 })).rejects.toThrow(
      "data: the first batch must be a whole number from 0 to 3, got 4.",
    );
  });

  it("changes a sample alike whatever the batch size, the order and the way it is read", async () => {
    const byLabel = async (source: Dataset, batchSize: number): Promise<Record<number, number[]>> => {
      const all: Record<number, number[]> = {};
      const augment = cropAndFlip({ padding: 2 });
      for (const { x, label } of await collect(trainingBatches(source, { batchSize, epoch: 3, seed: 9, augment }))) {
        numbers(label!).forEach((one, i) => {
          all[one] = numbers(x!).slice(i * 48, (i + 1) * 48);
        });
      }
      return all;
    };
    const expected = await byLabel(pictures, 2);
    expect(await byLabel(pictures, 5)).toEqual(expected);
    expect(await byLabel({ ...pictures, batch: undefined }, 5)).toEqual(expected);
    expect(expected[0]).not.toEqual(numbers((await pictures.sample(0)).x!));
    // The data set itself stays as it is.
    expect(numbers((await pictures.sample(3)).x!)).toEqual(Array.from({ length: 48 }, (_, i) => 3 * 16 + i));
  });

  it("takes augmentations that return samples of their own", async () => {
    const augment = [({ x }: { x?: Tensor }) => ({ x: float32([1], [2 * (x!.data as Float32Array)[0]!]) })];
    const batches = await collect(trainingBatches(dataset, { batchSize: 5, epoch: 0, augment }));
    for (const { x, label } of batches) expect(numbers(x!)).toEqual(numbers(label!).map((row) => 4 * row));
  });

  it("reads a bounded number of batches ahead, and fails only when their turn comes", async () => {
    let started = 0;
    const slow: Dataset = {
      ...dataset,
      inMemory: false,
      batch: async (indices) => {
        started++;
        if (started > 3) throw new Error("sample 3 is gone");
        return dataset.batch!(indices);
      },
    };
    const batches = trainingBatches(slow, { batchSize: 2, epoch: 0, readAhead: 2 });
    await batches.next();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(started).toBe(3); // one given, two read ahead
    await batches.next();
    await batches.next();
    await expect(batches.next()).rejects.toThrow("sample 3 is gone");
  });

  it("fails in turn, too, when samples in memory cannot be read", async () => {
    let reads = 0;
    const broken: Dataset = {
      ...dataset,
      batch: (indices) => {
        if (++reads > 1) throw new Error("gone");
        return dataset.batch!(indices);
      },
    };
    const batches = trainingBatches(broken, { batchSize: 2, epoch: 0 });
    await batches.next();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(reads).toBe(2);
    await expect(batches.next()).rejects.toThrow("gone");
  });

  it("mixes batches after augmenting samples", async () => {
    const [batch] = await collect(trainingBatches(dataset, { batchSize: 10, epoch: 0, augmentBatch: mixup() }));
    const { x, label, label2, mix } = batch!;
    for (let i = 0; i < 10; i++) {
      const share = numbers(mix!)[i]!;
      expect(share).toBeGreaterThanOrEqual(0);
      expect(share).toBeLessThanOrEqual(1);
      const expected = share * 2 * numbers(label!)[i]! + (1 - share) * 2 * numbers(label2!)[i]!;
      expect(numbers(x!)[2 * i]).toBeCloseTo(expected, 4); // float32 arithmetic of numbers below 20
    }
    expect(numbers(label2!).sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});

describe("evaluationBatches", () => {
  it("gives every sample once and in order, the last batch filled with weight 0", async () => {
    const batches = await collect(evaluationBatches(dataset, { batchSize: 4 }));
    expect(batches.map(({ x }) => x!.shape)).toEqual([
      [4, 2],
      [4, 2],
      [4, 2],
    ]);
    const counted = batches.flatMap(({ label, weight }) => numbers(label!).filter((_, i) => numbers(weight!)[i] === 1));
    expect(counted).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const kept = await collect(evaluationBatches(dataset, { batchSize: 4, last: "keep" }));
    expect(kept.map(({ x }) => x!.shape[0])).toEqual([4, 4, 2]);
  });

  it("gives one filled batch when there are fewer samples than one batch", async () => {
    const [batch] = await collect(evaluationBatches(selectSamples(dataset, [1, 2]), { batchSize: 4 }));
    expect(numbers(batch!.weight!)).toEqual([1, 1, 0, 0]);
  });
});

const pictures = datasetFromArrays(
  new Map([
    [
      "x",
      new Tensor(
        "uint8",
        [10, 3, 4, 4],
        Uint8Array.from({ length: 480 }, (_, i) => (i % 48) + 16 * Math.floor(i / 48)),
      ),
    ],
  ]),
  { description: "pictures", labels: Int32Array.from({ length: 10 }, (_, i) => i) },
);

function numbers(tensor: Tensor): number[] {
  return Array.from(tensor.data as Float32Array, Number);
}

async function collect(batches: AsyncIterable<Record<string, Tensor>>): Promise<Record<string, Tensor>[]> {
  const all = [];
  for await (const batch of batches) all.push(batch);
  return all;
}
