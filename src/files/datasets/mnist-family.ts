/** Data sets in the four IDX files of MNIST, each gzip-packed or not. */
import { type Dataset, type Normalization, readIdx } from "../../data/index.ts";
import { DataError } from "../../errors.ts";
import type { Tensor } from "../../tensor/index.ts";
import { DataFiles, findFiles } from "./data-files.ts";
import type { DataSource } from "./data-source.ts";
import { sampleShapeOf, storedPictures } from "./stored-pictures.ts";

const SIDE = 28;
const CLASSES = 10;
const FILES = ["train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"] as const;

/** What sets one member of the family apart. */
export interface MnistFamilyMember
  extends Pick<DataSource, "name" | "title" | "url" | "sizeBytes" | "licence" | "obtain" | "checksums"> {
  readonly classNames: readonly string[];
  /** Of the training pictures' bytes / 255. */
  readonly mean: number;
  readonly std: number;
}

/** Makes a kind of data of a member of the family: pictures of 28 x 28 in ten classes, decoded in memory (55 MB for 70,000). */
export function mnistFamilySource({ classNames, mean, std, ...source }: MnistFamilyMember): DataSource {
  const normalization: Normalization = { scale: 1 / 255, mean: [mean], std: [std] };
  return {
    ...source,
    kind: "pictures",
    path: "folder",
    options: ["size"],
    async read(folder, { size }) {
      const names = FILES.map((name) => [`${name}-ubyte.gz`, `${name}-ubyte`, `${name.replace("-idx", ".idx")}-ubyte`]);
      const sampleShape = sampleShapeOf([1, SIDE, SIDE], size);
      const paths = await findFiles(folder, names, source);
      const files = new DataFiles(source.checksums);
      const open = async (images: string, labels: string, part: string): Promise<Dataset> => {
        const pictures = picturesOf(readIdx(await files.read(images), images), images);
        const count = pictures.shape[0]!;
        return storedPictures({
          description: `${folder} (${source.title}, ${part} part)`,
          bytes: pictures.data as Uint8Array,
          shape: [1, SIDE, SIDE],
          labels: labelsOf(readIdx(await files.read(labels), labels), count, labels),
          classNames,
          size,
        });
      };
      const train = await open(paths[0]!, paths[1]!, "training");
      const test = await open(paths[2]!, paths[3]!, "test");
      const { fingerprint } = files;
      const common = { kind: "pictures", classes: CLASSES, classNames, sampleShape, dtype: "uint8" } as const;
      return { ...common, train, test, normalization, fingerprint, files: files.files };
    },
  };
}

function picturesOf(tensor: Tensor, where: string): Tensor {
  const [count, height, width] = tensor.shape;
  if (tensor.dtype === "uint8" && tensor.shape.length === 3 && height === SIDE && width === SIDE && count! > 0)
    return tensor;
  throw new DataError(
    `${where}: must hold uint8 pictures [count, ${SIDE}, ${SIDE}], got ${tensor.dtype} [${tensor.shape.join(", ")}].`,
  );
}

function labelsOf({ dtype, shape, data }: Tensor, count: number, where: string): Int32Array {
  if (dtype !== "uint8" || shape.join() !== String(count)) {
    throw new DataError(`${where}: must hold ${count} uint8 labels, got ${dtype} [${shape.join(", ")}].`);
  }
  const wrong = (data as Uint8Array).findIndex((label) => label >= CLASSES);
  if (wrong >= 0) {
    throw new DataError(`${where}: labels must be 0..${CLASSES - 1}, got ${data[wrong]} for picture ${wrong}.`);
  }
  return Int32Array.from(data as Uint8Array);
}
