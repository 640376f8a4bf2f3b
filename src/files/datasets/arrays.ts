/** Arrays of numbers with classes. */
import { type Dataset, datasetFromArrays } from "../../data/index.ts";
import { DataError } from "../../errors.ts";
import { Tensor, toFloat32, toNumbers } from "../../tensor/index.ts";
import type { DataFiles } from "./data-files.ts";
import type { DataParts } from "./data-source.ts";
import { withTestPart } from "./own-test-part.ts";

/** Names that the arrays may have, the first preferred. */
const ARRAY_NAMES = {
  trainX: ["x_train", "x"],
  trainY: ["y_train", "y"],
  testX: ["x_test"],
  testY: ["y_test"],
} as const;

/** What is said about files without such arrays. */
export const ARRAYS_NEEDED =
  "Arrays x and y (or x_train and y_train, with x_test and y_test): pictures uint8 [count, channels, height, width] or [count, height, width], or numbers [count, features], and whole numbers [count].";

/**
 * Makes training data of arrays: uint8 of rank 3 or 4 are pictures, as are float32 of rank 4; everything else is features.
 * Classes are as many as the highest label says.
 *
 * @throws DataError if arrays are missing, or do not fit each other.
 */
export function arrayParts(arrays: ReadonlyMap<string, Tensor>, where: string, files: DataFiles): DataParts {
  const find = (role: keyof typeof ARRAY_NAMES): Tensor | undefined => {
    const name = ARRAY_NAMES[role].find((one) => arrays.has(one));
    return name === undefined ? undefined : arrays.get(name);
  };
  const [trainX, trainY, testX, testY] = [find("trainX"), find("trainY"), find("testX"), find("testY")];
  if (!trainX || !trainY || (testX === undefined) !== (testY === undefined)) {
    throw new DataError(
      `${where}: must hold pairs of arrays, got ${[...arrays.keys()].join(", ") || "none"}. ${ARRAYS_NEEDED}`,
    );
  }
  const open = (x: Tensor, y: Tensor, part: string): Dataset =>
    datasetFromArrays(new Map([["x", asFed(x, where)]]), {
      description: `${where} (${part})`,
      labels: labelsOf(y, `${where} (${part})`),
    });
  const all = open(trainX, trainY, "training part");
  const parts = testX && testY ? { train: all, test: open(testX, testY, "test part") } : withTestPart(all);
  const classes = 1 + all.labels!.reduce((most, label) => Math.max(most, label), 0);
  const beyond = parts.test.labels!.find((label) => label >= classes);
  if (beyond !== undefined) {
    throw new DataError(`${where}: labels must be 0..${classes - 1}, those to train on, got ${beyond} to test with.`);
  }
  const { dtype, shape } = asFed(trainX, where);
  const kind = shape.length === 4 ? "pictures" : "features";
  if (testX && asFed(testX, where).shape.slice(1).join() !== shape.slice(1).join()) {
    throw new DataError(
      `${where}: samples must have one shape, got [${trainX.shape.slice(1).join(", ")}] and [${testX.shape.slice(1).join(", ")}].`,
    );
  }
  return {
    kind,
    ...parts,
    classes,
    classNames: undefined,
    sampleShape: shape.slice(1),
    dtype,
    normalization: dtype === "uint8" ? { standardize: 1 / 255 } : kind === "features" ? { standardize: 1 } : undefined,
    fingerprint: files.fingerprint,
    files: files.files,
  };
}

function asFed(x: Tensor, where: string): Tensor {
  const [count, ...rest] = x.shape;
  const rank = x.shape.length;
  if (!count || rest.some((length) => length === 0)) {
    throw new DataError(`${where}: x must have samples along its first axis, got [${x.shape.join(", ")}].`);
  }
  if (x.dtype === "uint8" && (rank === 3 || rank === 4)) {
    return new Tensor("uint8", rank === 3 ? [count, 1, ...rest] : x.shape, x.data);
  }
  const data = toFloat32(x);
  const wrong = data.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) {
    const row = Math.floor(wrong / (data.length / count));
    throw new DataError(`${where}: numbers must be finite, got ${data[wrong]} in sample ${row}.`);
  }
  return new Tensor("float32", rank === 4 ? x.shape : [count, data.length / count], data);
}

function labelsOf(y: Tensor, where: string): Int32Array {
  const isVector = y.shape.length === 1 || (y.shape.length === 2 && y.shape[1] === 1);
  const values = isVector ? toNumbers(y) : new Float64Array();
  const wrong = values.find((value) => !Number.isInteger(value) || value < 0 || value >= 2 ** 24);
  if (!isVector || wrong !== undefined) {
    throw new DataError(
      `${where}: labels must be whole numbers from 0, one a sample, got ${wrong ?? `${y.dtype} [${y.shape.join(", ")}]`}.`,
    );
  }
  return Int32Array.from(values);
}
