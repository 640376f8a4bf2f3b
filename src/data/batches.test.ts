import { expect, test } from "vitest";
import { float32, int64, Tensor } from "../tensor/index.ts";
import { feedSource, sampleBatches } from "./batches.ts";
import { datasetFromArrays, limitSamples, type Sample, selectSamples } from "./dataset.ts";
import { type BatchFeeds, toFeeds } from "./feeds.ts";
import type { ModelInput } from "./model-input.ts";

const seven = datasetFromArrays(
  new Map([
    [
      "x",
      float32(
        [7, 2],
        Array.from({ length: 14 }, (_, i) => i),
      ),
    ],
  ]),
  {
    description: "seven",
    labels: Int32Array.of(0, 1, 2, 3, 4, 5, 6),
  },
);
const input: ModelInput = { name: "data", dtype: "float32", shape: ["N", 2] };

test("batches cover all samples in order, the last one smaller", async () => {
  const shapes: (readonly number[])[] = [];
  const values: number[] = [];
  for await (const feeds of feedSource(seven, [input], 3).batches()) {
    shapes.push(feeds.data!.shape);
    values.push(...(feeds.data!.data as Float32Array));
  }
  expect(shapes).toEqual([[3, 2], [3, 2], [1, 2]]); // biome-ignore format: a table
  expect(values).toEqual(Array.from({ length: 14 }, (_, i) => i));
});

test("a model with a fixed batch gets full batches only, and is refused fewer samples than one", async () => {
  const fixed = { ...input, shape: [4, 2] };
  const source = feedSource(seven, [fixed], 3);
  const batches: BatchFeeds[] = [];
  for await (const batch of source.batches()) batches.push(batch);
  expect([source.count, batches.length, batches[0]!.data!.shape]).toEqual([4, 1, [4, 2]]);
  expect(() => feedSource(seven, [{ ...input, shape: [8, 2] }])).toThrow("must get 8 samples at least, got 7.");
});

test("no more than two batches are read at any time", async () => {
  let read = 0;
  const sample = (index: number): Promise<Sample> => {
    read++;
    return seven.sample(index);
  };
  const counting = { ...seven, sample };
  for await (const { start } of sampleBatches(counting, 2)) expect(read).toBeLessThanOrEqual(start + 4);
});

test("a sample that cannot be read fails the batch it is in, after those before it", async () => {
  const failing = {
    ...seven,
    sample: (index: number) => (index === 3 ? Promise.reject(new Error("damaged")) : seven.sample(index)),
  };
  const starts: number[] = [];
  await expect(async () => {
    for await (const { start } of sampleBatches(failing, 2)) {
      starts.push(start);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }).rejects.toThrow("damaged");
  expect(starts).toEqual([0]);
});

test("a limit draws samples by seed and keeps their labels", async () => {
  const three = limitSamples(seven, 3, 1);
  expect(three.count).toBe(3);
  expect(limitSamples(seven, 3, 1).labels).toEqual(three.labels);
  expect(limitSamples(seven, 3, 5).labels).not.toEqual(three.labels);
  for (let i = 0; i < 3; i++) expect((await three.sample(i)).x!.data[0]).toBe(2 * three.labels![i]!);
  expect(limitSamples(seven, 9)).toBe(seven);
  expect(() => limitSamples(seven, 0)).toThrow("data: limit must be a whole number above zero, got 0.");
  expect([...selectSamples(seven, [5, 1]).labels!]).toEqual([5, 1]);
});

test("arrays that disagree on the number of samples are refused", () => {
  const arrays = new Map([
    ["a", float32([2, 1], [1, 2])],
    ["b", float32([3, 1], [1, 2, 3])],
  ]);
  expect(() => datasetFromArrays(arrays, { description: "x.npz" })).toThrow(
    "x.npz: every array must have its samples along the first axis (2), got b [3, 1].",
  );
});

test("several inputs are matched by name", () => {
  const inputs: ModelInput[] = [
    { name: "tokens", dtype: "int64", shape: ["N", "T"] },
    { name: "mask", dtype: "float32", shape: ["N", "T"] },
  ];
  const sample = { mask: float32([2], [1, 0]), tokens: new Tensor("uint16", [2], Uint16Array.of(5, 6)) };
  const feeds = toFeeds([sample, sample], inputs, { where: "x.npz" });
  expect(feeds.tokens).toEqual(int64([5, 6, 5, 6], [2, 2]));
  expect(() => toFeeds([{ tokens: sample.tokens }], inputs, { where: "x.npz" })).toThrow(
    "x.npz: must hold one array for each input of the model (tokens, mask), got tokens.",
  );
});

test.each([
  ["doubles to floats", new Tensor("float64", [2], Float64Array.of(0.5, 1)), input, [0.5, 1]],
  ["a gray picture to a flat input", float32([1, 1, 2], [1, 2]), input, [1, 2]],
  ["bytes to int32", new Tensor("uint8", [2], Uint8Array.of(1, 255)), { ...input, dtype: "int32" }, [1, 255]],
] as const)("%s are converted", (_, tensor, model, values) => {
  const { data } = toFeeds([{ any: tensor }], [model as ModelInput], { where: "x" });
  expect(data!.dtype).toBe(model.dtype);
  expect(data!.shape).toEqual([1, 2]);
  expect(Array.from(data!.data as Float32Array)).toEqual(values);
});

test("what would change the numbers is refused", () => {
  const bytes = { any: new Tensor("uint8", [2], Uint8Array.of(1, 255)) };
  expect(() => toFeeds([bytes], [input], { where: "x.npy" })).toThrow(
    "x.npy: samples must be of the type of the model's input data float32 [N, 2], got uint8. " +
      "Apply the model's preprocessing and save the array as float32.",
  );
  expect(() => toFeeds([bytes], [{ ...input, dtype: "int8" }], { where: "x.npy" })).toThrow("got 255.");
  expect(() => toFeeds([{ any: float32([3], [1, 2, 3]) }], [input], { where: "x.npy" })).toThrow(
    "x.npy: samples must fit the model's input data float32 [N, 2], got [3] without the batch axis (sample 0).",
  );
});

test("samples of different shape cannot share a batch", () => {
  const samples = [{ any: float32([2], [1, 2]) }, { any: float32([3], [1, 2, 3]) }];
  expect(() => toFeeds(samples, [input], { where: "pictures" })).toThrow(
    "pictures: samples of one batch must have one shape, got [2] (sample 0) and [3] (sample 1).",
  );
});
