/** Sources whose pictures are stored decoded: the MNIST family, CIFAR, STL-10. */
import { join } from "node:path";
import { gzipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { sharedData } from "../../../test/support/shared-data.ts";
import { type Tensor, toNumbers } from "../../tensor/index.ts";
import { openTrainingData } from "../open-training-data.ts";
import { type Files, testFolders } from "./test-folders.cases.ts";

const folders = testFolders();
const folder = folders.write;

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
    await expect(openTrainingData(`mnist:${folders.path("nowhere")}`)).rejects.toThrow(
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
