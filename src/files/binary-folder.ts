/** Folders of the MNIST family (IDX) and of CIFAR-10 and CIFAR-100 (official binary version). */
import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  CIFAR_10,
  CIFAR_100,
  CIFAR_SIDE,
  type CifarLayout,
  cifarLabel,
  cifarPixels,
  cifarRecordCount,
  type Pixels,
  readIdx,
  type StoredPictures,
} from "../data/index.ts";
import { DataError } from "../errors.ts";
import { readClassNames } from "./picture-folder.ts";
import { fileSize, readBytes, readRange } from "./read-file.ts";

/** Which part of a data set that comes in two. */
export type Split = "train" | "test";

/** Pictures that are stored as plain pixels, all of one size. */
export interface PixelSource extends StoredPictures {
  readonly description: string;
  readonly count: number;
  readonly labels: Int32Array | undefined;
  readonly classNames: readonly string[] | undefined;
  pixels(index: number): Promise<Pixels>;
}

/**
 * Opens a folder of the MNIST family: `t10k-images-idx3-ubyte` and `t10k-labels-idx1-ubyte` for the test part,
 * `train-...` for the other, each optionally `.gz`. Undefined if the folder holds none of them.
 *
 * @throws DataError if a file is damaged, the part asked for is missing, or pictures and labels do not match.
 */
export async function openIdxFolder(folder: string, split: Split): Promise<PixelSource | undefined> {
  const find = (part: string, kind: string): string | undefined =>
    [`${part}-${kind}-ubyte.gz`, `${part}-${kind}-ubyte`, `${part}-${kind.replace("-", ".")}-ubyte`]
      .map((name) => join(folder, name))
      .find((path) => existsSync(path));
  const part = split === "test" ? "t10k" : "train";
  const imagesPath = find(part, "images-idx3");
  if (imagesPath === undefined) {
    if (find(part === "t10k" ? "train" : "t10k", "images-idx3") === undefined) return undefined;
    throw new DataError(
      `${folder}: must hold ${part}-images-idx3-ubyte for the ${split} part, got the other part only.`,
    );
  }
  const images = readIdx(await readBytes(imagesPath), imagesPath);
  const [count, height, width] = images.shape;
  if (images.dtype !== "uint8" || images.shape.length !== 3 || !count || !height || !width) {
    throw new DataError(
      `${imagesPath}: must hold uint8 pictures [count, height, width], got ${images.dtype} [${images.shape.join(", ")}].`,
    );
  }
  const labelsPath = find(part, "labels-idx1");
  const labels = labelsPath === undefined ? undefined : readIdx(await readBytes(labelsPath), labelsPath);
  if (labels && (labels.dtype !== "uint8" || labels.shape.join() !== String(count))) {
    throw new DataError(
      `${labelsPath}: must hold ${count} uint8 labels, got ${labels.dtype} [${labels.shape.join(", ")}].`,
    );
  }
  const bytes = images.data as Uint8Array;
  return {
    description: `${folder} (IDX, ${split} part)`,
    count,
    height,
    width,
    channels: 1,
    labels: labels && Int32Array.from(labels.data as Uint8Array),
    classNames: undefined,
    pixels: async (index) => ({
      size: [height, width],
      channels: 1,
      bytes: bytes.subarray(index * height * width, (index + 1) * height * width),
    }),
  };
}

interface CifarFiles {
  readonly layout: CifarLayout;
  readonly subfolder: string;
  readonly files: Readonly<Record<Split, readonly string[]>>;
  readonly classFile: string;
}

const CIFAR_FILES: readonly CifarFiles[] = [
  {
    layout: CIFAR_10,
    subfolder: "cifar-10-batches-bin",
    files: { test: ["test_batch.bin"], train: [1, 2, 3, 4, 5].map((number) => `data_batch_${number}.bin`) },
    classFile: "batches.meta.txt",
  },
  {
    layout: CIFAR_100,
    subfolder: "cifar-100-binary",
    files: { test: ["test.bin"], train: ["train.bin"] },
    classFile: "fine_label_names.txt",
  },
];

/**
 * Opens a folder with the official binary version of CIFAR-10 or CIFAR-100, or the folder that holds it. Undefined if
 * there is none. Pixels are read from the files as they are asked for.
 *
 * @throws DataError if a file is damaged, the part asked for is missing, or a label is out of range.
 */
export async function openCifarFolder(folder: string, split: Split): Promise<PixelSource | undefined> {
  for (const cifar of CIFAR_FILES) {
    const all = [...cifar.files.test, ...cifar.files.train];
    const inner = [folder, join(folder, cifar.subfolder)].find((candidate) =>
      all.some((name) => existsSync(join(candidate, name))),
    );
    if (inner !== undefined) return await openCifar(inner, cifar, split);
  }
  return undefined;
}

async function openCifar(folder: string, { layout, files, classFile }: CifarFiles, split: Split): Promise<PixelSource> {
  // A subset of the training files is a data set too; a missing test file is not.
  const names = files[split].filter((name) => existsSync(join(folder, name)));
  if (names.length === 0) {
    throw new DataError(`${folder}: must hold ${files[split].join(", ")} for the ${split} part, got none of them.`);
  }
  const parts: { path: string; start: number }[] = [];
  const labels: number[] = [];
  for (const name of names) {
    const path = join(folder, name);
    parts.push({ path, start: labels.length });
    const count = cifarRecordCount(await fileSize(path), layout, path);
    const bytes = await readBytes(path);
    for (let i = 0; i < count; i++) {
      labels.push(cifarLabel(bytes.subarray(i * layout.recordBytes, (i + 1) * layout.recordBytes), layout, path));
    }
  }
  const classPath = join(folder, classFile);
  return {
    description: `${folder} (${layout.name}, ${split} part)`,
    count: labels.length,
    height: CIFAR_SIDE,
    width: CIFAR_SIDE,
    channels: 3,
    labels: Int32Array.from(labels),
    classNames: existsSync(classPath) ? await readClassNames(classPath) : undefined,
    pixels: async (index) => {
      const { path, start } = parts.findLast((part) => part.start <= index)!;
      const record = await readRange(path, (index - start) * layout.recordBytes, layout.recordBytes);
      if (record.length < layout.recordBytes)
        throw new DataError(`${path}: must not change while in use, got shorter.`);
      return { size: [CIFAR_SIDE, CIFAR_SIDE], channels: 3, bytes: cifarPixels(record, layout) };
    },
  };
}
