/** Data sets on disk, recognized by what is there. */
import { basename, extname } from "node:path";
import {
  completePreprocessing,
  type Dataset,
  describeInput,
  type ModelInput,
  type Preprocessing,
  type PreprocessingSettings,
  pixelsToTensor,
} from "../data/index.ts";
import { DataError, FileError, OptionError } from "../errors.ts";
import { openNpyFile, openNpzFile } from "./array-file.ts";
import { openCifarFolder, openIdxFolder, type PixelSource, type Split } from "./binary-folder.ts";
import { decodePicture, isPictureName, reshapePixels } from "./decode-picture.ts";
import { findPreprocessing } from "./find-preprocessing.ts";
import { listPictures, type PictureList } from "./picture-folder.ts";
import { pathKind } from "./read-file.ts";

/** How a data set is opened. */
export interface OpenDatasetOptions {
  /** The model's inputs (those without a default): they decide what pictures are turned into. */
  readonly inputs: readonly ModelInput[];
  /** Number of classes of the model, when known (`LoadedModel.classCount`): tells parts of ImageNet from other folders. */
  readonly classCount?: number | undefined;
  /** The model's file; preprocessing is looked for beside it. */
  readonly modelPath?: string | undefined;
  /** What the caller states about preprocessing; it wins over files beside the model, and those over files with the data. */
  readonly preprocessing?: PreprocessingSettings | undefined;
  /** Part of MNIST-family and CIFAR folders. Default "test". */
  readonly split?: Split | undefined;
}

/** A data set on disk, and how its pictures are turned into numbers. */
export interface OpenedDataset extends Dataset {
  /** Undefined for arrays, which go to the model as they are. */
  readonly preprocessing: Preprocessing | undefined;
}

/**
 * Opens a data set for a model: a folder of pictures (flat, a folder for each class, or with labels.csv), one picture, a
 * .npy or .npz file, an MNIST-family folder (IDX), or a CIFAR-10/100 folder (official binary version).
 *
 * @throws DataError naming the file that is missing, damaged or does not fit the model. FileError if nothing can be read
 *   at `path`. OptionError if preprocessing is stated for arrays, which are not preprocessed.
 * @example
 * const dataset = await openDataset("pictures/", { inputs });
 */
export async function openDataset(path: string, options: OpenDatasetOptions): Promise<OpenedDataset> {
  const { inputs, preprocessing = {}, split = "test" } = options;
  const kind = await pathKind(path);
  if (kind === undefined) throw new FileError(`${path}: must be a file or folder of data, got nothing there.`);
  if (kind === "file") {
    const ending = extname(path).toLowerCase();
    if (ending === ".npy" || ending === ".npz") {
      assertNoPreprocessing(preprocessing, path);
      const dataset = ending === ".npy" ? await openNpyFile(path) : await openNpzFile(path, inputs);
      return { ...dataset, preprocessing: undefined };
    }
    if (!isPictureName(path)) {
      throw new DataError(`${path}: data must be pictures, .npy or .npz, got a ${ending || "nameless"} file.`);
    }
    const list = { paths: [path], labels: undefined, classNames: undefined, kind: "one picture" };
    return pictureDataset(path, list, await resolve(path, options));
  }
  const source = (await openCifarFolder(path, split)) ?? (await openIdxFolder(path, split));
  if (source !== undefined) return pixelDataset(source, await resolve(path, options, source));
  return pictureDataset(path, await listPictures(path, options.classCount), await resolve(path, options));
}

function assertNoPreprocessing(preprocessing: PreprocessingSettings, path: string): void {
  const stated = Object.entries(preprocessing).find(([, value]) => value !== undefined);
  if (stated) {
    throw new OptionError(`${path}: arrays are fed as they are and must not be preprocessed, got ${stated[0]}.`);
  }
}

async function resolve(
  path: string,
  { inputs, modelPath, preprocessing = {} }: OpenDatasetOptions,
  stored?: PixelSource,
): Promise<Preprocessing> {
  const [input] = inputs;
  if (input === undefined || inputs.length > 1) {
    throw new DataError(
      `${path}: a model fed with pictures must have one input, got ${inputs.map(describeInput).join("; ") || "none"}. ` +
        "Give the inputs as a .npz file with one array for each.",
    );
  }
  const settings = await findPreprocessing(preprocessing, { modelPath, dataPath: path });
  try {
    return completePreprocessing(settings, input, stored);
  } catch (cause) {
    throw cause instanceof DataError ? new DataError(`${path}: ${cause.message}`, { cause }) : cause;
  }
}

function pictureDataset(path: string, list: PictureList, preprocessing: Preprocessing): OpenedDataset {
  return {
    description: `${path} (${list.kind})`,
    count: list.paths.length,
    labels: list.labels,
    classNames: list.classNames,
    preprocessing,
    sampleName: (index) => basename(list.paths[index]!),
    sample: async (index) => {
      const pixels = await decodePicture(list.paths[index]!, preprocessing);
      return { picture: pixelsToTensor(pixels, preprocessing) };
    },
  };
}

function pixelDataset(source: PixelSource, preprocessing: Preprocessing): OpenedDataset {
  return {
    description: source.description,
    count: source.count,
    labels: source.labels,
    classNames: source.classNames,
    preprocessing,
    sampleName: (index) => `picture ${index}`,
    sample: async (index) => {
      const pixels = await reshapePixels(await source.pixels(index), preprocessing, `picture ${index}`);
      return { picture: pixelsToTensor(pixels, preprocessing) };
    },
  };
}
