/** Batches to train on and to evaluate with: samples in random order or in their own, with their labels. */
import { DataError, OptionError } from "../errors.ts";
import { seededRandom, shuffledIndices, Tensor } from "../tensor/index.ts";
import { type Augmentation, type BatchAugmentation, sampleRandom } from "./augmentation.ts";
import type { Dataset, Sample } from "./dataset.ts";
import { int64Numbers } from "./int64-numbers.ts";
import { inAdvance } from "./read-in-advance.ts";
import { stackSamples } from "./stack-samples.ts";

/** What is done with a last batch that is not full. */
export type LastBatch = "drop" | "pad" | "keep";

/** How batches are made of samples. */
export interface BatchOptions {
  readonly batchSize: number;
  /** Name under which labels are given. Default "label". */
  readonly label?: string;
  /** Name under which weights are given, float32 [batch]: 1, and 0 for samples that only fill a batch. Default: not given. */
  readonly weight?: string;
  /**
   * Batches that are read while the caller works on one; they are in memory meanwhile. Default 3. Of samples that are in memory
   * already one is, at most.
   */
  readonly readAhead?: number;
}

/** How one pass over the data is made. */
export interface TrainingBatchOptions extends BatchOptions {
  /** Number of the pass: each has an order and augmentations of its own. */
  readonly epoch: number;
  /** Default 0. */
  readonly seed?: number;
  /** Applied to each sample, one after the other. Default: samples as they are. */
  readonly augment?: Augmentation | readonly Augmentation[];
  /** Applied to each batch after that, such as `mixup`. */
  readonly augmentBatch?: BatchAugmentation;
  /**
   * What is done with a last batch that is not full: left out (its samples come in other passes), filled with samples from
   * the beginning, or given as it is. Default "drop".
   */
  readonly last?: LastBatch;
  /** Number of the batch to start with, to go on within a pass. Default 0. */
  readonly firstBatch?: number;
}

/** How a data set is read to evaluate. */
export interface EvaluationBatchOptions extends BatchOptions {
  /** Whether a last batch that is not full is filled with samples of weight 0, or given as it is. Default "pad". */
  readonly last?: "pad" | "keep";
}

/**
 * Reads a data set in random order, batch by batch: samples stacked along a new first axis, under their names, and labels as
 * int64 [batch] (samples that bring labels of their own, as text does, keep them). Batches are read ahead while the caller
 * works on one.
 *
 * The same seed and epoch give the same batches on every machine. What augmentations do to a sample depends on seed, epoch
 * and the sample's number alone, whatever the batch size.
 *
 * @throws DataError if the data set has no labels, or samples differ in shape.
 * @throws OptionError if the batch size is not a whole number above zero, or there are fewer samples than one batch.
 * @example
 * for (let epoch = 0; epoch < 10; epoch++)
 *   for await (const { x, label } of trainingBatches(dataset, { batchSize: 64, epoch })) await training.run({ x, label });
 */
export async function* trainingBatches(
  dataset: Dataset,
  options: TrainingBatchOptions,
): AsyncGenerator<Record<string, Tensor>> {
  const { epoch, seed = 0, augment = [], augmentBatch, last = "drop", firstBatch = 0 } = options;
  const { count, read, advance } = batchReader(dataset, { ...options, last }, () =>
    shuffledIndices(dataset.count, seededRandom(seed * 1_000_003 + epoch)),
  );
  if (!Number.isInteger(firstBatch) || firstBatch < 0 || firstBatch > count) {
    throw new OptionError(`data: the first batch must be a whole number from 0 to ${count}, got ${firstBatch}.`);
  }
  const steps = typeof augment === "function" ? [augment] : augment;
  const change = ({ samples, extras, indices }: ReadBatch, number: number): Record<string, Tensor> => {
    const changed =
      steps.length === 0 ? samples : augmented(samples, steps, (i) => sampleRandom(seed, epoch, indices[i]!));
    const batch = { ...changed, ...extras };
    // Numbers of batches and of samples must not draw alike.
    return augmentBatch ? augmentBatch(batch, sampleRandom(~seed, epoch, number)) : batch;
  };
  const readChanged = (number: number) => whenRead(read(number), (batch) => change(batch, number));
  yield* inAdvance(readChanged, { from: firstBatch, to: count, ...advance });
}

/**
 * Reads a data set in its own order, batch by batch, every sample once, as `trainingBatches` gives them. A last batch that is not
 * full is filled so that all have one shape; what fills it has weight 0.
 *
 * @throws DataError if the data set has no labels, or samples differ in shape. OptionError if the batch size is not a whole
 *   number above zero.
 * @example
 * for await (const { x, label, weight } of evaluationBatches(data.test, { batchSize: 100 })) await evaluate(x, label, weight);
 */
export async function* evaluationBatches(
  dataset: Dataset,
  options: EvaluationBatchOptions,
): AsyncGenerator<Record<string, Tensor>> {
  const { last = "pad", weight = "weight" } = options;
  const { count, read, advance } = batchReader(dataset, { ...options, last, weight }, () =>
    Uint32Array.from({ length: dataset.count }, (_, i) => i),
  );
  const readAll = (number: number) => whenRead(read(number), ({ samples, extras }) => ({ ...samples, ...extras }));
  yield* inAdvance(readAll, { from: 0, to: count, ...advance });
}

/** Returns how many batches one pass over `sampleCount` samples has. */
export function batchCount(sampleCount: number, batchSize: number, last: LastBatch = "drop"): number {
  return last === "drop" ? Math.floor(sampleCount / batchSize) : Math.ceil(sampleCount / batchSize);
}

interface ReadBatch {
  readonly samples: Sample;
  /** Labels and weights. */
  readonly extras: Record<string, Tensor>;
  /** Numbers of the samples in the data set. */
  readonly indices: Uint32Array;
}

interface BatchReader {
  readonly count: number;
  readonly read: (number: number) => ReadBatch | Promise<ReadBatch>;
  readonly advance: { readonly ahead: number; readonly eager: boolean };
}

function batchReader(
  dataset: Dataset,
  options: BatchOptions & { readonly last: LastBatch },
  orderOf: () => Uint32Array,
): BatchReader {
  const { batchSize, readAhead = 3, last } = options;
  for (const [what, value] of [
    ["batch size", batchSize],
    ["number of batches to read ahead", readAhead],
  ] as const) {
    if (!Number.isInteger(value) || value < 1) {
      throw new OptionError(`data: ${what} must be a whole number above zero, got ${value}.`);
    }
  }
  const count = batchCount(dataset.count, batchSize, last);
  if (count === 0) {
    throw new OptionError(
      `${dataset.description}: must have at least one batch of ${batchSize}, got ${dataset.count} samples.`,
    );
  }
  const order = orderOf();
  // Copying is work of this thread, and what is copied early is out of the processor's cache when it is needed.
  const eager = dataset.inMemory !== true;
  const ahead = eager ? readAhead : 1;
  const read = (number: number): ReadBatch | Promise<ReadBatch> => {
    const start = number * batchSize;
    const real = Math.min(batchSize, order.length - start);
    const length = last === "pad" ? batchSize : real;
    const indices =
      length === real
        ? order.subarray(start, start + real)
        : Uint32Array.from({ length }, (_, i) => order[(start + i) % order.length]!);
    return whenRead(readSamples(dataset, indices), (samples) => {
      return { samples, indices, extras: extrasOf(dataset, samples, { ...options, indices, real }) };
    });
  };
  return { count, read, advance: { ahead, eager } };
}

/** Labels, and weights where they are asked for. */
function extrasOf(
  { labels, description }: Dataset,
  samples: Sample,
  { label = "label", weight, indices, real }: BatchOptions & { readonly indices: Uint32Array; readonly real: number },
): Record<string, Tensor> {
  const extras: Record<string, Tensor> = {};
  if (labels !== undefined) {
    const chosen = new Int32Array(indices.length);
    for (let i = 0; i < chosen.length; i++) chosen[i] = labels[indices[i]!]!;
    extras[label] = int64Numbers(chosen);
  } else if (samples[label] === undefined) {
    throw new DataError(`${description}: samples must have labels to train on, got none.`);
  }
  if (weight !== undefined) {
    extras[weight] = new Tensor("float32", [indices.length], new Float32Array(indices.length).fill(1, 0, real));
  }
  return extras;
}

/** Reads samples into a batch whose memory is the caller's. */
function readSamples(dataset: Dataset, indices: Uint32Array): Sample | Promise<Sample> {
  if (dataset.batch) return dataset.batch(indices);
  const samples = Promise.all(Array.from(indices, (index) => dataset.sample(index)));
  return samples.then((all) => stackSamples(all, dataset.description));
}

/** Goes on with what is there, at once, or with what is still being read. */
function whenRead<T, Result>(value: T | Promise<T>, next: (value: T) => Result): Result | Promise<Result> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** Applies augmentations within the batch's memory, and makes another batch only of samples that they replaced. */
function augmented(
  batch: Sample,
  steps: readonly Augmentation[],
  randomOf: (i: number) => ReturnType<typeof seededRandom>,
): Sample {
  const names = Object.keys(batch);
  const count = batch[names[0]!]!.shape[0]!;
  const results: Sample[] = [];
  let isReplaced = false;
  for (let i = 0; i < count; i++) {
    const random = randomOf(i);
    const sample: Record<string, Tensor> = {};
    for (const name of names) sample[name] = sampleView(batch[name]!, i);
    let result: Sample = sample;
    for (const step of steps) result = step(result, random);
    isReplaced ||= result !== sample;
    results.push(result);
  }
  return isReplaced ? stackSamples(results, "augmentation") : batch;
}

/** One sample of a batch, over the same memory. */
function sampleView({ dtype, shape, data }: Tensor, index: number): Tensor {
  const length = data.length / shape[0]!;
  const [start, end] = [index * length, (index + 1) * length];
  return new Tensor(dtype, shape.slice(1), Array.isArray(data) ? data.slice(start, end) : data.subarray(start, end));
}
