import { describe, expect, it } from "vitest";
import { float32, seededRandom } from "../tensor/index.ts";
import { cropAndFlip } from "./crop-and-flip.ts";
import { datasetFromArrays } from "./dataset.ts";
import { trainingBatches } from "./training-batches.ts";

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
    expect((await labelsOf({ batchSize: 4, epoch: 0, dropLast: false })).map((batch) => batch.length)).toEqual([
      4, 4, 2,
    ]);
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
});

describe("cropAndFlip", () => {
  it("shifts pictures and mirrors half of them", () => {
    const picture = float32([1, 2, 3], [1, 2, 3, 4, 5, 6]);
    const augment = cropAndFlip({ padding: 1 });
    const random = seededRandom(0);
    const seen = new Set<string>();
    for (let i = 0; i < 300; i++) seen.add((augment({ x: picture }, random).x!.data as Float32Array).join(" "));
    // 9 shifts, each mirrored or not.
    expect(seen.size).toBe(18);
    for (const expected of ["1 2 3 4 5 6", "3 2 1 6 5 4", "0 0 0 0 1 2", "5 6 0 0 0 0"])
      expect(seen).toContain(expected);
  });

  it("refuses what is no picture", () => {
    expect(() => cropAndFlip()({ x: float32([2], [1, 2]) }, seededRandom(0))).toThrow(
      "cropAndFlip: pictures must be float32 [channels, height, width], got float32 [2].",
    );
  });
});
