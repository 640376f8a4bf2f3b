import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "fflate";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sharedData } from "../../test/support/shared-data.ts";
import { trainingBatches, writeNpy, writeNpz } from "../data/index.ts";
import { float32, int64, Tensor, toNumbers } from "../tensor/index.ts";
import { openTrainingData } from "./open-training-data.ts";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "modicum-training-data-"));
});
afterAll(() => rm(root, { recursive: true }));

type Files = Readonly<Record<string, Uint8Array | string>>;

async function folder(name: string, files: Files): Promise<string> {
  const path = join(root, name);
  for (const [file, content] of Object.entries(files)) {
    await mkdir(join(path, file, ".."), { recursive: true });
    await writeFile(join(path, file), content);
  }
  return path;
}

/** An IDX file of bytes. */
function idx(shape: readonly number[], values: ArrayLike<number>): Uint8Array {
  const header = new DataView(new ArrayBuffer(4 + 4 * shape.length));
  header.setUint32(0, 0x0800 + shape.length);
  for (const [axis, length] of shape.entries()) header.setUint32(4 + 4 * axis, length);
  return Uint8Array.from([...new Uint8Array(header.buffer), ...Array.from(values)]);
}

const constant = (count: number, value: number) => new Uint8Array(count).fill(value);
const mnistFiles = (count = 20): Files => ({
  "train-images-idx3-ubyte": idx([count, 28, 28], constant(count * 784, 7)),
  "train-labels-idx1-ubyte.gz": gzipSync(
    idx(
      [count],
      Array.from({ length: count }, (_, i) => i % 10),
    ),
  ),
  "t10k-images-idx3-ubyte.gz": gzipSync(idx([10, 28, 28], constant(7840, 9))),
  "t10k-labels-idx1-ubyte": idx(
    [10],
    Array.from({ length: 10 }, (_, i) => i),
  ),
});
const without = (files: Files, name: string): Files =>
  Object.fromEntries(Object.entries(files).filter(([one]) => one !== name));
const values = (tensor: Tensor | undefined): number[] => [...toNumbers(tensor!)];

describe("the MNIST family", () => {
  test("is opened packed or not, as bytes with what the program needs to normalize them", async () => {
    const path = await folder("mnist", mnistFiles());
    const data = await openTrainingData(`mnist:${path}`);
    expect([data.train.count, data.test!.count, data.classes, data.sampleShape, data.dtype]).toEqual([
      20,
      10,
      10,
      [1, 28, 28],
      "uint8",
    ]);
    expect(data.normalization).toEqual({ scale: 1 / 255, mean: [0.1307], std: [0.3081] });
    expect(values((await data.test!.sample(3)).x)).toEqual([...constant(784, 9)]);
    expect([...data.train.labels!.subarray(0, 12)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]);
    const resized = await openTrainingData(`mnist:${path}`, { size: 14 });
    expect(resized.sampleShape).toEqual([1, 14, 14]);
    expect(values((await resized.train.sample(0)).x)).toEqual([...constant(196, 7)]);
  });

  test("names what is missing, truncated, of another size or out of range", async () => {
    const files = mnistFiles();
    const missing = await folder("mnist-missing", without(files, "t10k-labels-idx1-ubyte"));
    await expect(openTrainingData(`kmnist:${missing}`)).rejects.toThrow(
      /mnist-missing: must hold train-images-idx3-ubyte.gz, .*, got no t10k-labels-idx1-ubyte.gz. Get the four/,
    );
    await expect(openTrainingData(`mnist:${join(root, "nowhere")}`)).rejects.toThrow(
      /nowhere: must be the folder of the data, got nothing there\. Get the four \.gz files/,
    );
    await expect(openTrainingData(`mnist:${await folder("empty", { "a.txt": "" })}`)).rejects.toThrow(
      "got none of them",
    );
    const cut = (files["train-images-idx3-ubyte"] as Uint8Array).slice(0, 5000);
    const truncated = await folder("mnist-cut", { ...files, "train-images-idx3-ubyte": cut });
    await expect(openTrainingData(`mnist:${truncated}`)).rejects.toThrow(
      "train-images-idx3-ubyte: uint8 of shape [20, 28, 28] must take 15680 bytes, got 4984.",
    );
    const gzip = (files["t10k-images-idx3-ubyte.gz"] as Uint8Array).slice(0, 30);
    const packed = await folder("mnist-gz", { ...files, "t10k-images-idx3-ubyte.gz": gzip });
    await expect(openTrainingData(`mnist:${packed}`)).rejects.toThrow("must be a whole gzip file");
    const wide = await folder("mnist-wide", {
      ...files,
      "train-images-idx3-ubyte": idx([20, 28, 14], constant(7840, 0)),
    });
    await expect(openTrainingData(`mnist:${wide}`)).rejects.toThrow(
      "must hold uint8 pictures [count, 28, 28], got uint8 [20, 28, 14].",
    );
    const labels = await folder("mnist-labels", {
      ...files,
      "t10k-labels-idx1-ubyte": idx([10], [0, 1, 2, 3, 12, 5, 6, 7, 8, 9]),
    });
    await expect(openTrainingData(`mnist:${labels}`)).rejects.toThrow("labels must be 0..9, got 12 for picture 4.");
    const fewer = await folder("mnist-fewer", { ...files, "t10k-labels-idx1-ubyte": idx([9], constant(9, 0)) });
    await expect(openTrainingData(`mnist:${fewer}`)).rejects.toThrow("must hold 10 uint8 labels, got uint8 [9].");
  });

  test("is checked against the official files when asked to", async () => {
    const path = await folder("mnist", mnistFiles());
    await expect(openTrainingData(`mnist:${path}`, { verify: true })).rejects.toThrow(
      /train-images-idx3-ubyte: must be the official file of MNIST, got another \(train-images-idx3-ubyte with SHA-256 [0-9a-f]{64}/,
    );
    const shared = sharedData("mnist");
    if (shared) expect((await openTrainingData(`mnist:${shared}`, { verify: true })).train.count).toBe(60_000);
  });
});

/** A record of CIFAR: labels, then three planes of one value each. */
const record = (labels: readonly number[], rgb: readonly number[]) => [
  ...labels,
  ...rgb.flatMap((value) => [...constant(1024, value)]),
];

describe("CIFAR", () => {
  const cifarFiles = (): Files => ({
    ...Object.fromEntries(
      [1, 2, 3, 4, 5].map((n) => [`in/data_batch_${n}.bin`, Uint8Array.from(record([n], [n, 20, 30]))]),
    ),
    "in/test_batch.bin": Uint8Array.from(record([9], [1, 2, 3])),
    "in/batches.meta.txt": "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n",
  });

  test("10 has all training files in order, plane by plane", async () => {
    const data = await openTrainingData(`cifar10:${join(await folder("cifar", cifarFiles()), "in")}`);
    expect([...data.train.labels!]).toEqual([1, 2, 3, 4, 5]);
    const { x } = await data.train.batch!([4, 0]);
    expect(x!.shape).toEqual([2, 3, 32, 32]);
    expect([0, 1024, 2048, 3072].map((at) => x!.data[at])).toEqual([5, 20, 30, 1]);
    expect(data.classNames![9]).toBe("truck");
  });

  test("100 takes the fine label", async () => {
    const path = await folder("cifar100", {
      "cifar-100-binary/train.bin": Uint8Array.from(record([3, 77], [1, 2, 3])),
      "cifar-100-binary/test.bin": Uint8Array.from(record([4, 99], [1, 2, 3])),
      "cifar-100-binary/fine_label_names.txt": Array.from({ length: 100 }, (_, i) => `class ${i}`).join("\n"),
    });
    const data = await openTrainingData(`cifar100:${path}`);
    expect([data.train.labels![0], data.test!.labels![0], data.classes]).toEqual([77, 99, 100]);
  });

  test("refuses missing and truncated files and labels out of range", async () => {
    const files = cifarFiles();
    const missing = await folder("cifar-missing", without(files, "in/data_batch_3.bin"));
    await expect(openTrainingData(`cifar10:${missing}/in`)).rejects.toThrow(
      "got no data_batch_3.bin. Unpack cifar-10-binary.tar.gz",
    );
    const truncated = await folder("cifar-cut", { ...files, "in/test_batch.bin": constant(3000, 0) });
    await expect(openTrainingData(`cifar10:${truncated}/in`)).rejects.toThrow(
      "records of 3073 bytes, got 3000 bytes. It may be truncated.",
    );
    const wrong = await folder("cifar-label", {
      ...files,
      "in/data_batch_2.bin": Uint8Array.from(record([10], [1, 2, 3])),
    });
    await expect(openTrainingData(`cifar10:${wrong}/in`)).rejects.toThrow(
      "data_batch_2.bin: labels must be 0..9, got 10.",
    );
  });
});

describe("STL-10", () => {
  test("is turned from columns to rows, its labels to 0..9", async () => {
    const picture = Uint8Array.from({ length: 27_648 }, (_, i) => Math.floor((i % 9216) / 96)); // the column's number
    const files = {
      "train_X.bin": picture,
      "train_y.bin": Uint8Array.of(10),
      "test_X.bin": picture,
      "test_y.bin": Uint8Array.of(1),
    };
    const data = await openTrainingData(`stl10:${await folder("stl", files)}`);
    expect([data.train.labels![0], data.test!.labels![0]]).toEqual([9, 0]);
    const x = (await data.train.sample(0)).x!.data;
    expect([x[0], x[1], x[95], x[96], x[9216 + 5]]).toEqual([0, 1, 95, 0, 5]);
    const wrong = await folder("stl-label", { ...files, "test_y.bin": Uint8Array.of(0) });
    await expect(openTrainingData(`stl10:${wrong}`)).rejects.toThrow("labels must be 1..10, got 0 for picture 0.");
    const cut = await folder("stl-cut", { ...files, "test_X.bin": picture.slice(0, 100) });
    await expect(openTrainingData(`stl10:${cut}`)).rejects.toThrow("got 100 bytes. It may be truncated.");
  });
});

describe("folders of pictures", () => {
  const png = (width: number, height: number, r = 10) =>
    sharp({ create: { width, height, channels: 3, background: { r, g: 20, b: 30 } } })
      .png()
      .toBuffer();

  async function classes(name: string, count: number, extra: Files = {}): Promise<string> {
    const files: Record<string, Uint8Array | string> = { ...extra };
    for (const one of ["cat", "dog"]) for (let i = 0; i < count; i++) files[`${one}/${i}.png`] = await png(6, 4, i);
    return folder(name, files);
  }

  test("give a tenth of each class to test with, the same for every seed", async () => {
    const path = await classes("plain", 20);
    const open = (seed: number) => openTrainingData(`folder:${path}`, { seed });
    const [one, other] = [await open(0), await open(1)];
    expect([one.train.count, one.test!.count, one.sampleShape]).toEqual([36, 4, [3, 4, 6]]);
    expect([...one.test!.labels!]).toEqual([0, 0, 1, 1]);
    expect([0, 1, 2, 3].map((i) => one.test!.sampleName(i))).toEqual(
      [0, 1, 2, 3].map((i) => other.test!.sampleName(i)),
    );
    expect(one.fingerprint).toBe(other.fingerprint);
    const again = await one.train.batch!([0, 0]);
    (again.x!.data as Uint8Array).fill(0); // what augmentations do must not reach the kept pictures
    expect(values((await one.train.batch!([0])).x).slice(24, 26)).toEqual([20, 20]);
  });

  test("have parts where there are folders of that name, with the classes of the training part", async () => {
    const files: Record<string, Uint8Array> = {};
    for (const name of ["train/a/1.png", "train/b/1.png", "val/b/1.png", "test/b/1.png", "test/b/2.png"])
      files[name] = await png(4, 4);
    const data = await openTrainingData(`folder:${await folder("parts", files)}`, { size: 2 });
    expect([data.train.count, data.validation!.count, data.test!.count, data.sampleShape]).toEqual([
      2,
      1,
      2,
      [3, 2, 2],
    ]);
    expect([...data.test!.labels!]).toEqual([1, 1]);
    await expect(openTrainingData(`folder:${join(root, "parts")}`, { validation: 0.5 })).rejects.toThrow(
      "validation must not be taken from data that bring a part of their own (1 samples), got 0.5.",
    );
    const strange = await folder("parts-strange", { ...files, "test/c/1.png": await png(4, 4) });
    await expect(openTrainingData(`folder:${strange}`)).rejects.toThrow(
      'classes must be those to train on (a, b), got "c".',
    );
  });

  test("name and count pictures that are unreadable or of another size, or leave them out", async () => {
    const whole = await png(6, 4);
    const path = await classes("faulty", 20, {
      "dog/x.png": "no picture",
      "dog/y.png": await png(5, 4),
      "cat/z.png": whole.subarray(0, 60),
    });
    await expect(openTrainingData(`folder:${path}`)).rejects.toThrow(
      /faulty: all 43 pictures must be whole and of 4 x 6 pixels, as cat\/0.png is, got (2|3) that are not \(.*dog\/x.png: .*dog\/y.png: 4 x 5/,
    );
    const data = await openTrainingData(`folder:${path}`, { skipUnreadable: true });
    expect(data.train.count + data.test!.count).toBe(40);
    const resized = await openTrainingData(`folder:${path}`, { skipUnreadable: true, size: 4 });
    expect(resized.train.count + resized.test!.count).toBe(41); // another size is no fault when all are resized
  });

  test("stop a run at a picture whose end is missing", async () => {
    const noise = await sharp({
      create: {
        width: 64,
        height: 64,
        channels: 3,
        background: "red",
        noise: { type: "gaussian", mean: 128, sigma: 60 },
      },
    })
      .jpeg()
      .toBuffer();
    const files = Object.fromEntries(
      Array.from({ length: 10 }, (_, i) => [`a/${i}.jpg`, i === 4 ? noise.subarray(0, noise.length / 2) : noise]),
    );
    const path = await folder("cut", files);
    const data = await openTrainingData(`folder:${path}`);
    const parts = [data.train, data.test!];
    const reads = parts.flatMap((part) => Array.from({ length: part.count }, (_, i) => part.sample(i)));
    const failed = (await Promise.allSettled(reads)).filter(({ status }) => status === "rejected");
    expect(failed).toHaveLength(1);
    expect(String((failed[0] as PromiseRejectedResult).reason)).toContain("a/4.jpg: must be a whole picture");
    await expect(openTrainingData(`folder:${path}`, { verify: true })).rejects.toThrow("got 1 that is not (a/4.jpg: ");
  });

  test("need a folder for each class", async () => {
    await expect(openTrainingData(`folder:${await folder("flat", { "a.png": await png(4, 4) })}`)).rejects.toThrow(
      "pictures must be in a folder for each class, got pictures without.",
    );
    await expect(openTrainingData(`folder:${join(root, "nowhere")}`)).rejects.toThrow("must be a folder of pictures");
  });
});

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

describe("openTrainingData", () => {
  test("takes validation samples, a limit and true labels, each class in proportion", async () => {
    const whole = await openTrainingData("example");
    const data = await openTrainingData("example", {
      validation: 0.2,
      limit: 100,
      testLimit: 50,
      labelNoise: 0.4,
      seed: 3,
    });
    expect([data.train.count, data.validation!.count, data.test!.count]).toEqual([100, 100, 50]);
    const countOf = (labels: Int32Array, label: number) => labels.filter((one) => one === label).length;
    for (let label = 0; label < 10; label++) {
      // In proportion, but for rounding.
      const [expected, inTest] = [whole.train, whole.test!].map(({ labels }) => countOf(labels!, label)) as [
        number,
        number,
      ];
      expect(Math.abs(countOf(data.validation!.labels!, label) - expected / 5)).toBeLessThan(1);
      expect(Math.abs(countOf(data.test!.labels!, label) - inTest / 2)).toBeLessThan(1);
    }
    const clean = await openTrainingData("example", { validation: 0.2, limit: 100, seed: 3 });
    const changed = clean.train.labels!.filter((label, i) => label !== data.train.labels![i]);
    expect(changed.length).toBe(40);
    expect(data.fingerprint).toBe(whole.fingerprint);
    const namesOf = (part: typeof data.train) => Array.from({ length: part.count }, (_, i) => part.sampleName(i));
    const used = new Set(namesOf(data.train));
    expect(namesOf(data.validation!).filter((name) => used.has(name))).toEqual([]);
  });

  test("refuses names and options that mean nothing here", async () => {
    await expect(openTrainingData("cifar:x")).rejects.toThrow('got "cifar". Did you mean "cifar10"?');
    await expect(openTrainingData("/some/path")).rejects.toThrow(
      "Write the kind before the path, such as folder:path/to/pictures.",
    );
    await expect(openTrainingData("mnist")).rejects.toThrow(
      '"mnist" must be followed by a folder, such as mnist:path/to/it, got none.',
    );
    await expect(openTrainingData("example:x")).rejects.toThrow(
      '"example" comes with the package and must have no path, got "x".',
    );
    await expect(openTrainingData("example", { length: 3 })).rejects.toThrow(
      "length must be given for text, words only, got it for example.",
    );
    await expect(openTrainingData("example", { validation: 500 })).rejects.toThrow("below the 500 samples, got 500.");
    await expect(openTrainingData("example", { labelNoise: 1.5 })).rejects.toThrow(
      "label noise must be a share from 0 to 1, got 1.5.",
    );
    await expect(openTrainingData("example", { limit: 0 })).rejects.toThrow(
      "limit must be a whole number above zero, got 0.",
    );
  });
});
