/** Sources of numbers and text: arrays, tables, plain text. */
import { join } from "node:path";
import { gzipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { trainingBatches, writeNpy, writeNpz } from "../../data/index.ts";
import { float32, int64, Tensor, toNumbers } from "../../tensor/index.ts";
import { openTrainingData } from "../open-training-data.ts";
import { testFolders } from "./test-folders.cases.ts";

const folders = testFolders();
const folder = folders.write;

const values = (tensor: Tensor | undefined): number[] => [...toNumbers(tensor!)];

describe("arrays", () => {
  const x = new Tensor(
    "uint8",
    [20, 2, 2],
    Uint8Array.from({ length: 80 }, (_, i) => i),
  );
  const y = int64(Array.from({ length: 20 }, (_, i) => i % 2));

  test("of bytes are pictures, standardized over what is trained on", async () => {
    const path = await folder("npz", {
      "a.npz": writeNpz([
        ["x_train", x],
        ["y_train", y],
        ["x_test", x],
        ["y_test", y],
      ]),
    });
    const data = await openTrainingData(`npz:${join(path, "a.npz")}`);
    expect([data.kind, data.sampleShape, data.classes, data.test!.count]).toEqual(["pictures", [1, 2, 2], 2, 20]);
    const { scale, mean, std } = data.normalization!;
    expect([scale, mean[0]]).toEqual([1 / 255, expect.closeTo(39.5 / 255, 12)]);
    expect(std[0]).toBeCloseTo(Math.sqrt((80 ** 2 - 1) / 12) / 255, 12); // of 0..79
  });

  test("of numbers are features, from .npy files too", async () => {
    const features = float32(
      [20, 2],
      Array.from({ length: 40 }, (_, i) => i),
    );
    const data = await openTrainingData(
      `npy:${await folder("npy", { "x.npy": writeNpy(features), "y.npy": writeNpy(y) })}`,
    );
    expect([data.kind, data.sampleShape, data.dtype, data.train.count, data.test!.count]).toEqual([
      "features",
      [2],
      "float32",
      18,
      2,
    ]);
  });

  test("must fit each other", async () => {
    const open = async (arrays: [string, Tensor][]) =>
      openTrainingData(`npz:${join(await folder("bad", { "a.npz": writeNpz(arrays) }), "a.npz")}`);
    await expect(open([["x", x]])).rejects.toThrow("must hold pairs of arrays, got x.");
    await expect(
      open([
        ["x", x],
        ["y", int64([1, 2])],
      ]),
    ).rejects.toThrow("must have a label for each of 20 samples, got 2 labels.");
    await expect(
      open([
        ["x", x],
        ["y", int64(Array(20).fill(-1))],
      ]),
    ).rejects.toThrow("labels must be whole numbers from 0, one a sample, got -1.");
    await expect(
      open([
        ["x", x],
        ["y", y],
        ["x_test", x],
        ["y_test", int64(Array(20).fill(5))],
      ]),
    ).rejects.toThrow("labels must be 0..1, those to train on, got 5 to test with.");
    const nan = float32([20, 1], Array(20).fill(Number.NaN));
    await expect(
      open([
        ["x", nan],
        ["y", y],
      ]),
    ).rejects.toThrow("numbers must be finite, got NaN in sample 0.");
  });
});

describe("tables", () => {
  const rows = Array.from({ length: 30 }, (_, i) => `${i},${i % 3 === 0 ? "b" : "a"},${1000 + i}`);

  test("have features and a class, by header", async () => {
    const path = await folder("csv", { "a.csv": ["height,class,weight", ...rows, ""].join("\n") });
    const data = await openTrainingData(`csv:${join(path, "a.csv")}`, { validation: 9 });
    expect([data.classNames, data.sampleShape]).toEqual([["a", "b"], [2]]);
    expect([data.train.count, data.validation!.count, data.test!.count]).toEqual([18, 9, 3]);
    const { mean, std } = data.normalization!;
    const samples = await Promise.all(
      Array.from({ length: 18 }, async (_, i) => values((await data.train.sample(i)).x)),
    );
    expect(mean[0]).toBeCloseTo(samples.reduce((sum, [height]) => sum + height!, 0) / 18, 10);
    expect(mean[1]).toBeCloseTo(mean[0]! + 1000, 10);
    expect(std[0]).toBeCloseTo(std[1]!, 10);
  });

  test("come in two files too", async () => {
    const path = await folder("csv2", {
      "train.csv": `a,b,label\n${"1,2,9\n3,4,10\n".repeat(6)}`,
      "test.csv.gz": gzipSync(new TextEncoder().encode("a,b,label\n5,6,10\n")),
    });
    const data = await openTrainingData(`csv:${path}`);
    expect([data.train.count, data.classNames, [...data.test!.labels!]]).toEqual([12, ["9", "10"], [1]]);
  });

  test("name the row and column at fault", async () => {
    const open = async (text: string) =>
      openTrainingData(`csv:${join(await folder("csv-bad", { "a.csv": text }), "a.csv")}`);
    await expect(open("5.1,3.5,setosa\n4.9,3.0,setosa\n")).rejects.toThrow(
      'must begin with the names of the columns, got "5.1". Add a header.',
    );
    await expect(open("a,b,class\n1,2,x\n1,?,x\n")).rejects.toThrow('row 2: b must be a number, got "?". Fill in');
    await expect(open("a,b,class\n1,2\n")).rejects.toThrow("must be a CSV file, got one that is not");
    await expect(open("a,b,class\n")).rejects.toThrow("got 1 rows.");
  });
});

describe("text", () => {
  test("is cut into windows, the last tenth to test with, the end of the rest to validate", async () => {
    const path = await folder("text", { "a.txt": "abcdefghi\n".repeat(100) });
    const data = await openTrainingData(`text:${join(path, "a.txt")}`, { length: 8, validation: 12 });
    expect([data.classes, data.sampleShape, data.dtype]).toEqual([11, [8], "int64"]);
    expect([data.train.count, data.validation!.count, data.test!.count]).toEqual([100, 12, 12]);
    const batch = (await trainingBatches(data.train, { batchSize: 4, epoch: 0 }).next()).value!;
    expect([batch.x!.shape, batch.label!.shape]).toEqual([
      [4, 8],
      [4, 8],
    ]);
    expect(values(batch.label).slice(0, 7)).toEqual(values(batch.x).slice(1, 8));
  });

  test("has its own parts by the names of files", async () => {
    const line = "the cat sat\n".repeat(9);
    const path = await folder("words", {
      "ptb.train.txt": line,
      "ptb.valid.txt": line,
      "ptb.test.txt": "the dog sat\n".repeat(9),
    });
    const data = await openTrainingData(`words:${path}`, { length: 4 });
    expect(data.classNames).toEqual(["\n", "cat", "sat", "the", "<unk>"]);
    expect(data.validation!.count).toBe(8);
    expect(values((await data.test!.sample(0)).x)).toEqual([3, 4, 2, 0]);
  });

  test("must be UTF-8", async () => {
    const path = await folder("latin", { "a.txt": Uint8Array.of(0x63, 0x61, 0x66, 0xe9, 0x20) });
    await expect(openTrainingData(`text:${join(path, "a.txt")}`)).rejects.toThrow("must be text in UTF-8");
  });
});
