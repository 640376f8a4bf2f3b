/** What a training run needs to know of its data, wherever they come from. */
import type { DType } from "../tensor/index.ts";
import type { Dataset } from "./dataset.ts";

/**
 * How samples as they are fed become what the network sees: `(x * scale - mean) / std`, channel by channel (or feature by
 * feature). It is computed in the program, so that JavaScript only copies bytes.
 */
export interface Normalization {
  readonly scale: number;
  /** One number for each channel or feature. */
  readonly mean: readonly number[];
  /** One number above zero for each channel or feature. */
  readonly std: readonly number[];
}

/**
 * Everything a training run needs to know of its data.
 *
 * Samples are `{ x }`; those of text are `{ x, label }`, with the next token of each token as `label`.
 */
export interface TrainingData {
  /** Name of the data set, such as "cifar10". */
  readonly name: string;
  readonly kind: "pictures" | "features" | "tokens";
  /** What is left to train on after validation samples, label noise and limits were taken. */
  readonly train: Dataset;
  readonly validation: Dataset | undefined;
  readonly test: Dataset | undefined;
  /** Number of classes; size of the vocabulary for tokens. */
  readonly classes: number;
  readonly classNames: readonly string[] | undefined;
  /** Shape of `x` of one sample: pictures [channels, height, width], features [n], tokens [length]. */
  readonly sampleShape: readonly number[];
  /** Element type of `x` as it is fed: "uint8" for pictures (float32 where an array holds floats), "float32", "int64". */
  readonly dtype: DType;
  /** Undefined when nothing is to be done. */
  readonly normalization: Normalization | undefined;
  /** SHA-256 over the files (over names and sizes for folders of pictures): tells whether the data of a run changed. */
  readonly fingerprint: string;
}
