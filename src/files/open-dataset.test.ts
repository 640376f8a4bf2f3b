import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "fflate";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Dataset, feedSource, type ModelInput, writeNpy, writeNpz } from "../data/index.ts";
import { DataError, FileError, OptionError } from "../errors.ts";
import { float32, int64, Tensor } from "../tensor/index.ts";
import { openDataset } from "./open-dataset.ts";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "modicum-data-"));
});
afterAll(() => rm(root, { recursive: true }));

/** A model of side 4 that takes bytes as they are. */
const plain = { mean: [0], std: [1], scale: 1 } as const;
const rgb4: ModelInput = { name: "x", dtype: "float32", shape: ["N", 3, 4, 4] };
const options = { inputs: [rgb4], preprocessing: plain };

async function folder(name: string, files: Readonly<Record<string, Uint8Array | string>>): Promise<string> {
  const path = join(root, name);
  await mkdir(path, { recursive: true });
  for (const [file, content] of Object.entries(files)) {
    await mkdir(join(path, file, ".."), { recursive: true });
    await writeFile(join(path, file), content);
  }
  return path;
}

const picture = (width: number, height: number, background = { r: 10, g: 20, b: 30 }) =>
  sharp({ create: { width, height, channels: 3, background } });
const png = (width = 4, height = 4) => picture(width, height).png().toBuffer();

async function values(dataset: Dataset, index = 0): Promise<number[]> {
  const [tensor] = Object.values(await dataset.sample(index));
  return Array.from(tensor!.data as Float32Array);
}

describe("folders of pictures", () => {
  test("flat: pictures in order of name, no labels, other files passed over", async () => {
    const path = await folder("flat", { "b.png": await png(), "a.PNG": await png(), "readme.txt": "hello" });
    const dataset = await openDataset(path, options);
    expect([dataset.count, dataset.labels]).toEqual([2, undefined]);
    expect([dataset.sampleName(0), dataset.sampleName(1)]).toEqual(["a.PNG", "b.png"]);
    expect((await dataset.sample(0)).picture!.shape).toEqual([3, 4, 4]);
    expect(await values(dataset)).toEqual([...Array(16).fill(10), ...Array(16).fill(20), ...Array(16).fill(30)]);
  });

  test("a folder for each class: the class is the place among the sorted names", async () => {
    const path = await folder("classes", {
      "dog/1.png": await png(),
      "cat/1.png": await png(),
      "cat/2.png": await png(),
    });
    const dataset = await openDataset(path, options);
    expect([...dataset.labels!]).toEqual([0, 0, 1]);
    expect(dataset.classNames).toEqual(["cat", "dog"]);
  });

  test("numbers as names of folders are the classes themselves", async () => {
    const path = await folder("numbers", { "10/a.png": await png(), "9/a.png": await png() });
    expect([...(await openDataset(path, options)).labels!]).toEqual([10, 9]);
  });

  test("classes.txt puts folders in order", async () => {
    const path = await folder("listed", { "b/1.png": await png(), "a/1.png": await png(), "classes.txt": "b\na\nc\n" });
    const dataset = await openDataset(path, options);
    expect([[...dataset.labels!], dataset.classNames]).toEqual([
      [1, 0],
      ["b", "a", "c"],
    ]);
  });

  test("folders named by WordNet ids are ImageNet's classes for a model with 1,000, and plain names otherwise", async () => {
    const path = await folder("wordnet", { "n03000684/a.png": await png(), "n01440764/a.png": await png() });
    const labels = async (classCount: number) => [...(await openDataset(path, { ...options, classCount })).labels!];
    // imagenet-sample/classes.csv: n01440764 tench 0, n03000684 chain saw 491
    expect([await labels(1000), await labels(2)]).toEqual([
      [0, 491],
      [0, 1],
    ]);
  });

  test("labels.csv: columns by name, pictures in the folder or in images/", async () => {
    const csv = 'wnid,file,class_index\nn1,a.png,7\nn2,"b,c.png",0\n';
    const path = await folder("csv", { "images/a.png": await png(), "b,c.png": await png(), "labels.csv": csv });
    const dataset = await openDataset(path, options);
    expect([...dataset.labels!]).toEqual([7, 0]);
    expect(await values(dataset, 1)).toHaveLength(48);
  });

  test.each([
    ["a missing file", "file,class_index\nnone.png,1\n", 'labels.csv line 2: "none.png" must be a file in the folder'],
    [
      "no such column",
      "file,label\na.png,1\n",
      "labels.csv: must have the columns file and class_index, got file, label.",
    ],
    [
      "a negative class",
      "file,class_index\na.png,-1\n",
      'line 2: class_index must be a whole number from 0, got "-1".',
    ],
    ["a fraction", "file,class_index\na.png,1.5\n", 'got "1.5".'],
    ["no rows", "file,class_index\n", "labels.csv: must name pictures, got no rows."],
    ["ragged rows", "file,class_index\na.png,1,2\n", "labels.csv: must be a CSV file"],
  ])("labels.csv with %s is refused", async (name, csv, message) => {
    const path = await folder(`bad-csv-${name}`, { "a.png": await png(), "labels.csv": csv });
    await expect(openDataset(path, options)).rejects.toThrow(message);
    await expect(openDataset(path, options)).rejects.toThrow(DataError);
  });

  test("empty folders, class folders without pictures, and mixtures are refused", async () => {
    const empty = await folder("empty", {});
    await expect(openDataset(empty, options)).rejects.toThrow(`${empty}: must hold pictures (.jpg`);
    const hollow = await folder("hollow", { "a/1.png": await png(), "b/readme.txt": "" });
    await expect(openDataset(hollow, options)).rejects.toThrow(`${join(hollow, "b")}: must hold pictures`);
    const mixed = await folder("mixed", { "a/1.png": await png(), "2.png": await png() });
    await expect(openDataset(mixed, options)).rejects.toThrow("must hold either pictures or sub-folders of them");
    await expect(openDataset(join(root, "nowhere"), options)).rejects.toThrow(FileError);
  });
});

describe("pictures", () => {
  const one = async (name: string, content: Uint8Array | string, settings: object = {}) =>
    openDataset(join(await folder("one", { [name]: content }), name), {
      inputs: [rgb4],
      preprocessing: { ...plain, ...settings },
    });

  test("an upright JPEG of the right size keeps its pixels; one turned by EXIF is turned back", async () => {
    const left = {
      input: { create: { width: 2, height: 4, channels: 3 as const, background: "white" } },
      left: 0,
      top: 0,
    };
    const upright = picture(4, 4, { r: 0, g: 0, b: 0 }).composite([left]);
    const turned = await sharp(await upright.png().toBuffer())
      .withMetadata({ orientation: 6 })
      .png()
      .toBuffer();
    const rows = (numbers: number[]) => [numbers.slice(0, 4), numbers.slice(12, 16)];
    expect(rows(await values(await one("u.png", await upright.png().toBuffer())))[0]).toEqual([255, 255, 0, 0]);
    // Orientation 6: shown turned a quarter clockwise, so the white left half comes to the top.
    const top = rows(await values(await one("t.png", turned)));
    expect(top).toEqual([[255, 255, 255, 255], [0, 0, 0, 0]]); // biome-ignore format: a table
  });

  test("gray, 16-bit, CMYK and transparent pictures come as 8-bit RGB", async () => {
    const gray = await picture(4, 4, { r: 80, g: 80, b: 80 }).toColourspace("b-w").png().toBuffer();
    expect(new Set(await values(await one("gray.png", gray)))).toEqual(new Set([80]));
    const deep = await picture(4, 4, { r: 80, g: 80, b: 80 }).toColourspace("rgb16").png().toBuffer();
    expect((await sharp(deep).metadata()).depth).toBe("ushort");
    expect(new Set(await values(await one("deep.png", deep)))).toEqual(new Set([80]));
    const deepGray = await picture(4, 4, { r: 80, g: 80, b: 80 }).toColourspace("grey16").png().toBuffer();
    expect((await sharp(deepGray).metadata()).depth).toBe("ushort");
    expect(new Set(await values(await one("deep-gray.png", deepGray)))).toEqual(new Set([80]));
    const clear = await picture(4, 4).ensureAlpha(0.5).png().toBuffer();
    expect((await values(await one("clear.png", clear))).slice(0, 1)).toEqual([10]);
    const cmyk = await picture(4, 4, { r: 255, g: 255, b: 255 }).toColourspace("cmyk").jpeg().toBuffer();
    expect((await sharp(cmyk).metadata()).space).toBe("cmyk");
    const white = await values(await one("cmyk.jpg", cmyk));
    expect(white).toHaveLength(48);
    expect(Math.min(...white)).toBeGreaterThan(240);
  });

  test("pictures are resized by their short side and cropped at the centre", async () => {
    const tall = await one("tall.png", await png(8, 20));
    expect((await tall.sample(0)).picture!.shape).toEqual([3, 4, 4]);
    const bare = one("tall.png", await png(8, 20), { resize: null, crop: null });
    await expect((await bare).sample(0)).resolves.toMatchObject({ picture: { shape: [3, 20, 8] } });
  });

  test("a damaged, a truncated and a false picture are refused by name", async () => {
    const noise = {
      create: {
        width: 64,
        height: 64,
        channels: 3 as const,
        background: "red",
        noise: { type: "gaussian" as const, mean: 128, sigma: 30 },
      },
    };
    const jpeg = await sharp(noise).jpeg().toBuffer();
    for (const content of [jpeg.subarray(0, jpeg.length / 2), "not a picture"]) {
      const dataset = await one("bad.jpg", content);
      await expect(dataset.sample(0)).rejects.toThrow(
        /one.bad\.jpg: must be a whole picture, got one that cannot be read \(/,
      );
      await expect(dataset.sample(0)).rejects.toThrow(DataError);
    }
  });

  test("a picture smaller than the crop is refused by name", async () => {
    const dataset = await one("small.png", await png(3, 3), { resize: null });
    await expect(dataset.sample(0)).rejects.toThrow(/small\.png: must be at least the crop of 4 x 4 pixels, got 3 x 3/);
  });

  test("pictures of mixed size that nothing makes equal are refused by name", async () => {
    const path = await folder("sizes", { "a.png": await png(4, 4), "b.png": await png(5, 4) });
    const open: ModelInput = { name: "x", dtype: "float32", shape: ["N", 3, "H", "W"] };
    const settings = { inputs: [open], preprocessing: { ...plain, resize: null, crop: null } };
    const mixed = feedSource(await openDataset(path, settings), [open]);
    await expect(mixed.batches()[Symbol.asyncIterator]().next()).rejects.toThrow(
      "samples of one batch must have one shape, got [3, 4, 4] (a.png) and [3, 4, 5] (b.png). " +
        "Resize or crop pictures to one size (--resize, --crop), or use batches of one.",
    );
    const wrong = feedSource(await openDataset(path, { ...settings, inputs: [rgb4] }), [rgb4], 1).batches();
    const batches = wrong[Symbol.asyncIterator]();
    await batches.next();
    await expect(batches.next()).rejects.toThrow("got [3, 4, 5] without the batch axis (b.png).");
  });

  test("a model with several inputs, or one that takes no pictures, is told to use arrays", async () => {
    const path = await folder("flat", { "a.png": await png() });
    await expect(openDataset(path, { inputs: [rgb4, { ...rgb4, name: "y" }] })).rejects.toThrow("must have one input");
    const bytes: ModelInput = { name: "bytes", dtype: "int32", shape: ["N", 2048] };
    await expect(openDataset(path, { inputs: [bytes] })).rejects.toThrow("Give the inputs as a .npy or .npz file.");
    const four: ModelInput = { name: "x", dtype: "float32", shape: ["N", 4, 4, 4] };
    await expect(openDataset(path, { inputs: [four] })).rejects.toThrow("rgb gives 3 channels");
  });
});

describe("preprocessing files", () => {
  test("flags win over the file beside the model, and that over the one with the data", async () => {
    const data = await folder("with-file", {
      "a.png": await png(),
      "preprocessing.json": '{"mean": 1, "std": 2, "scale": 1}',
    });
    const models = await folder("models", { "m.preprocessing.json": '{"std": 4}' });
    const modelPath = join(models, "m.onnx");
    const dataset = await openDataset(data, {
      inputs: [rgb4],
      modelPath,
      preprocessing: { scale: 3, mean: undefined },
    });
    expect(dataset.preprocessing).toMatchObject({ scale: 3, std: [4], mean: [1] });
  });

  test("a file with a wrong key is refused by name", async () => {
    const data = await folder("wrong-key", { "a.png": await png(), "preprocessing.json": '{"means": 1}' });
    await expect(openDataset(data, options)).rejects.toThrow(
      `${join(data, "preprocessing.json")}: must be valid preprocessing, got Unrecognized key: "means".`,
    );
  });

  test("Hugging Face's file is found above onnx/", async () => {
    const models = await folder("hub", { "preprocessor_config.json": '{"image_mean": [0.5, 0.5, 0.5], "size": 4}' });
    const data = await folder("flat", { "a.png": await png() });
    const dataset = await openDataset(data, { inputs: [rgb4], modelPath: join(models, "onnx", "model.onnx") });
    expect(dataset.preprocessing).toMatchObject({ mean: [0.5, 0.5, 0.5], resize: [4, 4], crop: null });
  });
});

describe("binary folders", () => {
  const mnist: ModelInput = { name: "x", dtype: "float32", shape: [1, 1, 2, 2] };
  const images = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 0, 51, 102, 255, 1, 2, 3, 4);
  const labels = Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 7, 3);

  test("the MNIST family: test part by default, values 0..1", async () => {
    const path = await folder("mnist", {
      "t10k-images-idx3-ubyte.gz": gzipSync(images),
      "t10k-labels-idx1-ubyte": labels,
    });
    const dataset = await openDataset(path, { inputs: [mnist] });
    expect([dataset.count, [...dataset.labels!]]).toEqual([2, [7, 3]]);
    expect(await values(dataset)).toEqual([0, 51, 102, 255].map((byte) => Math.fround(byte / 255)));
    await expect(openDataset(path, { inputs: [mnist], split: "train" })).rejects.toThrow("for the train part");
    const larger = await openDataset(path, { inputs: [{ ...mnist, shape: [1, 1, 4, 4] }] });
    expect((await larger.sample(0)).picture!.shape).toEqual([1, 4, 4]);
  });

  test("labels that do not match the pictures, and truncated pictures, are refused by name", async () => {
    const short = await folder("mnist-short", {
      "t10k-images-idx3-ubyte": images.slice(0, 20),
      "t10k-labels-idx1-ubyte": labels,
    });
    await expect(openDataset(short, { inputs: [mnist] })).rejects.toThrow(
      "t10k-images-idx3-ubyte: uint8 of shape [2, 2, 2]",
    );
    const uneven = await folder("mnist-uneven", {
      "t10k-images-idx3-ubyte": images,
      "t10k-labels-idx1-ubyte": Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 1, 7),
    });
    await expect(openDataset(uneven, { inputs: [mnist] })).rejects.toThrow("must hold 2 uint8 labels, got uint8 [1].");
  });

  test("CIFAR-10, also from the folder above; both parts", async () => {
    const cifar: ModelInput = { name: "x", dtype: "float32", shape: ["N", 3, 32, 32] };
    const record = (label: number, value: number) =>
      Uint8Array.from({ length: 3073 }, (_, i) => (i === 0 ? label : value));
    const inner = "cifar/cifar-10-batches-bin";
    await folder(inner, {
      "test_batch.bin": Buffer.concat([record(3, 1), record(9, 2)]),
      "data_batch_1.bin": record(0, 10),
      "data_batch_2.bin": Buffer.concat([record(1, 20), record(2, 30)]),
      "batches.meta.txt": "airplane\nautomobile\n",
    });
    const testPart = await openDataset(join(root, "cifar"), { inputs: [cifar], preprocessing: plain });
    expect([[...testPart.labels!], testPart.classNames]).toEqual([
      [3, 9],
      ["airplane", "automobile"],
    ]);
    const train = await openDataset(join(root, inner), { inputs: [cifar], preprocessing: plain, split: "train" });
    expect([...train.labels!]).toEqual([0, 1, 2]);
    expect([(await values(train, 0))[0], (await values(train, 1))[0], (await values(train, 2))[0]]).toEqual([
      10, 20, 30,
    ]);
    await writeFile(join(root, inner, "test_batch.bin"), record(10, 1));
    await expect(openDataset(join(root, inner), { inputs: [cifar] })).rejects.toThrow(
      "test_batch.bin: labels must be 0..9, got 10.",
    );
    await writeFile(join(root, inner, "test_batch.bin"), record(1, 1).slice(1));
    await expect(openDataset(join(root, inner), { inputs: [cifar] })).rejects.toThrow("It may be truncated.");
  });
});

describe("arrays", () => {
  const input: ModelInput = { name: "data", dtype: "float32", shape: ["N", 2] };

  test(".npy is read row by row, with labels beside it", async () => {
    const path = await folder("npy", {
      "x.npy": writeNpy(float32([3, 2], [1, 2, 3, 4, 5, 6])),
      "x.labels.npy": writeNpy(int64([2, 0, 1])),
    });
    const dataset = await openDataset(join(path, "x.npy"), { inputs: [input] });
    expect([dataset.count, [...dataset.labels!]]).toEqual([3, [2, 0, 1]]);
    expect(await values(dataset, 2)).toEqual([5, 6]);
  });

  test(".npz has one array for each input, and labels", async () => {
    const npz = writeNpz([
      ["tokens", new Tensor("int32", [2, 3], Int32Array.of(1, 2, 3, 4, 5, 6))],
      ["mask", float32([2, 3], [1, 1, 1, 0, 0, 0])],
      ["labels", new Tensor("uint8", [2, 1], Uint8Array.of(1, 0))],
    ]);
    const path = join(await folder("npz", { "x.npz": npz }), "x.npz");
    const inputs: ModelInput[] = [
      { ...input, name: "tokens" },
      { ...input, name: "mask" },
    ];
    const dataset = await openDataset(path, { inputs });
    expect([...dataset.labels!]).toEqual([1, 0]);
    expect(Object.keys(await dataset.sample(1))).toEqual(["tokens", "mask"]);
  });

  test("truncated arrays, false labels, stated preprocessing and unknown files are refused", async () => {
    const whole = writeNpy(float32([3, 2], [1, 2, 3, 4, 5, 6]));
    const path = await folder("bad-arrays", {
      "short.npy": whole.slice(0, -1),
      "x.npy": whole,
      "x.labels.npy": writeNpy(float32([3], [0, 1, 2])),
      "data.txt": "",
    });
    const open = (name: string, more = {}) => openDataset(join(path, name), { inputs: [input], ...more });
    await expect(open("short.npy")).rejects.toThrow("must take 24 bytes, got 23.");
    await expect(open("x.npy")).rejects.toThrow(
      "x.labels.npy: labels must be whole numbers, one a sample, got float32 [3].",
    );
    await expect(open("x.npy", { preprocessing: { crop: 3 } })).rejects.toThrow(OptionError);
    await expect(open("data.txt")).rejects.toThrow("data must be pictures, .npy or .npz, got a .txt file.");
    expect((await readFile(join(path, "x.npy"))).length).toBe(whole.length);
  });
});
