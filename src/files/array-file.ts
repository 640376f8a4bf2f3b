/** .npy and .npz files as data sets: samples along the first axis. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  type Dataset,
  datasetFromArrays,
  type ModelInput,
  NPY_HEADER_LIMIT,
  type NpyHeader,
  npyElements,
  readNpy,
  readNpyHeader,
  readNpz,
} from "../data/index.ts";
import { DataError } from "../errors.ts";
import { type Tensor, toNumbers } from "../tensor/index.ts";
import { fileSize, readBytes, readRange } from "./read-file.ts";

/** Names of label arrays in a .npz file. */
const LABEL_NAMES = ["labels", "label", "y"];

/**
 * Opens a .npy file as a data set; samples are read from it as they are asked for. Labels come from `x.labels.npy` beside
 * `x.npy`, or from `labels.npy`.
 *
 * @throws DataError if the file is damaged or has no sample axis, or the labels do not fit it.
 */
export async function openNpyFile(path: string): Promise<Dataset> {
  const header = readNpyHeader(await readRange(path, 0, NPY_HEADER_LIMIT), path);
  const [count] = header.shape;
  const sizeBytes = await fileSize(path);
  if (sizeBytes - header.dataOffset !== header.dataBytes || header.fortranOrder || !count) {
    // Reordering needs the whole array; so do the messages about a wrong length.
    const labels = await labelsBeside(path);
    return datasetFromArrays(new Map([["array", readNpy(await readBytes(path), path)]]), { description: path, labels });
  }
  const labels = checkedLabels(await labelsBeside(path), count, path);
  return {
    description: path,
    count,
    labels,
    classNames: undefined,
    sampleName: (index) => `sample ${index} of ${path}`,
    sample: async (index) => ({ array: await readRow(path, header, count, index) }),
  };
}

async function readRow(path: string, header: NpyHeader, count: number, index: number): Promise<Tensor> {
  const rowBytes = header.dataBytes / count;
  const bytes = await readRange(path, header.dataOffset + index * rowBytes, rowBytes);
  if (bytes.length < rowBytes) throw new DataError(`${path}: must not change while in use, got shorter.`);
  return npyElements(header, header.shape.slice(1), bytes);
}

async function labelsBeside(path: string): Promise<Int32Array | undefined> {
  const candidates = [path.replace(/\.npy$/i, ".labels.npy"), join(dirname(path), "labels.npy")];
  const found = candidates.find((candidate) => candidate !== path && existsSync(candidate));
  return found === undefined ? undefined : toLabels(readNpy(await readBytes(found), found), found);
}

function checkedLabels(labels: Int32Array | undefined, count: number, path: string): Int32Array | undefined {
  if (labels && labels.length !== count) {
    throw new DataError(`${path}: must have a label for each of ${count} samples, got ${labels.length} labels.`);
  }
  return labels;
}

/**
 * Opens a .npz file as a data set: one array for each input of the model, by name (one array of any name when the model
 * has one input), and optionally the classes in `labels`, `label` or `y`.
 *
 * @throws DataError if the file is damaged, or arrays disagree on the number of samples.
 */
export async function openNpzFile(path: string, inputs: readonly ModelInput[]): Promise<Dataset> {
  const arrays = new Map(readNpz(await readBytes(path), path));
  const labelName = LABEL_NAMES.find((name) => arrays.has(name) && inputs.every((input) => input.name !== name));
  const labels = labelName === undefined ? undefined : toLabels(arrays.get(labelName)!, `${path} (${labelName})`);
  if (labelName !== undefined) arrays.delete(labelName);
  return datasetFromArrays(arrays, { description: path, labels });
}

function toLabels(tensor: Tensor, where: string): Int32Array {
  const isVector = tensor.shape.length === 1 || (tensor.shape.length === 2 && tensor.shape[1] === 1);
  if (!isVector || !/^u?int/.test(tensor.dtype)) {
    throw new DataError(
      `${where}: labels must be whole numbers, one a sample, got ${tensor.dtype} [${tensor.shape.join(", ")}].`,
    );
  }
  const numbers = toNumbers(tensor);
  const wrong = numbers.find((label) => label < 0 || label >= 2 ** 31);
  if (wrong !== undefined) throw new DataError(`${where}: labels must be 0 or above, got ${wrong}.`);
  return Int32Array.from(numbers);
}
