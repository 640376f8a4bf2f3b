/** Data sets: samples by number, with labels where there are any. */
import { DataError, OptionError } from "../errors.ts";
import { seededRandom, shuffledIndices, Tensor } from "../tensor/index.ts";

/**
 * One sample: arrays without a batch axis. A sample of one array fits any model of one input, whatever the names; with
 * several, the names are those of the model's inputs.
 */
export type Sample = Readonly<Record<string, Tensor>>;

/** Samples by number. Opening one reads little; `sample` reads and decodes. */
export interface Dataset {
  /** For reports: what it is and where from. */
  readonly description: string;
  readonly count: number;
  /** Class of each sample, from 0; undefined when nobody said. */
  readonly labels: Int32Array | undefined;
  /** Names of all classes in order, when the data set knows them. */
  readonly classNames: readonly string[] | undefined;
  /** Whether samples are in memory, so that reading them is only copying. Default: they are not. */
  readonly inMemory?: boolean | undefined;
  /** Returns what a sample is called in messages: its file, or its number. */
  sampleName(index: number): string;
  /**
   * Reads one sample. The same index always gives the same numbers.
   *
   * @param index 0 .. count - 1.
   * @throws DataError if it is missing, damaged or does not fit the model; the message names the file.
   */
  sample(index: number): Promise<Sample>;
  /**
   * Reads samples at once, stacked along a new first axis: what `sample` gives, faster. Undefined where that is not faster. The
   * batch is the caller's to change.
   */
  readonly batch?: ((indices: ArrayLike<number>) => Sample | Promise<Sample>) | undefined;
}

/** Returns the data set that has only the samples at `indices`, in that order. */
export function selectSamples(
  dataset: Dataset,
  indices: ArrayLike<number>,
  description: string = dataset.description,
): Dataset {
  const { labels } = dataset;
  const original = (chosen: ArrayLike<number>) => Uint32Array.from(chosen, (index) => indices[index]!);
  return {
    description,
    count: indices.length,
    labels: labels && Int32Array.from(indices, (index) => labels[index]!),
    classNames: dataset.classNames,
    inMemory: dataset.inMemory,
    sampleName: (index) => dataset.sampleName(indices[index]!),
    sample: (index) => dataset.sample(indices[index]!),
    batch: dataset.batch && ((chosen) => dataset.batch!(original(chosen))),
  };
}

/**
 * Returns at most `limit` samples, drawn at random by `seed` (data sets are often sorted by class) and kept in order.
 *
 * @param limit Undefined, or at least the count: the data set as it is.
 * @throws OptionError if the limit is not a whole number above zero.
 */
export function limitSamples(dataset: Dataset, limit: number | undefined, seed = 0): Dataset {
  if (limit === undefined) return dataset;
  if (!Number.isInteger(limit) || limit < 1) {
    throw new OptionError(`data: limit must be a whole number above zero, got ${limit}.`);
  }
  if (limit >= dataset.count) return dataset;
  const chosen = shuffledIndices(dataset.count, seededRandom(seed)).slice(0, limit).sort();
  return selectSamples(dataset, chosen, `${dataset.description} (${limit} of ${dataset.count}, seed ${seed})`);
}

/**
 * Makes a data set of arrays in memory, samples along their first axis.
 *
 * @param arrays By input name; any name when there is only one.
 * @throws DataError if the arrays disagree on the number of samples, or there are none.
 */
export function datasetFromArrays(
  arrays: ReadonlyMap<string, Tensor>,
  {
    description,
    labels,
    classNames,
  }: {
    readonly description: string;
    readonly labels?: Int32Array | undefined;
    readonly classNames?: readonly string[] | undefined;
  },
): Dataset {
  let count: number | undefined;
  for (const [name, { shape }] of arrays) {
    if (shape[0] === undefined || (count !== undefined && shape[0] !== count)) {
      throw new DataError(
        `${description}: every array must have its samples along the first axis${count === undefined ? "" : ` (${count})`}, ` +
          `got ${name} [${shape.join(", ")}].`,
      );
    }
    count = shape[0];
  }
  if (!count) throw new DataError(`${description}: must hold samples, got none.`);
  if (labels && labels.length !== count) {
    throw new DataError(`${description}: must have a label for each of ${count} samples, got ${labels.length} labels.`);
  }
  return {
    description,
    count,
    labels,
    classNames,
    inMemory: true,
    sampleName: (index) => `sample ${index}`,
    sample: async (index) =>
      Object.fromEntries([...arrays].map(([name, tensor]) => [name, sampleOf(tensor, index)] as const)),
    batch: (indices) => {
      const batch: Record<string, Tensor> = {};
      for (const [name, tensor] of arrays) batch[name] = gathered(tensor, indices);
      return batch;
    },
  };
}

function gathered({ dtype, shape, data }: Tensor, indices: ArrayLike<number>): Tensor {
  const length = data.length / shape[0]!;
  const part = (i: number) => data.slice(indices[i]! * length, (indices[i]! + 1) * length) as string[];
  const all = [indices.length, ...shape.slice(1)];
  if (Array.isArray(data)) {
    return new Tensor(dtype, all, Array.from({ length: indices.length }, (_, i) => part(i)).flat());
  }
  const numbers = data as Float32Array; // copied whole, of any numeric type
  touch(numbers, indices, length);
  const result = new Tensor(dtype, all, new (numbers.constructor as Float32ArrayConstructor)(indices.length * length));
  for (let i = 0; i < indices.length; i++) {
    const start = indices[i]! * length;
    (result.data as Float32Array).set(numbers.subarray(start, start + length), i * length);
  }
  return result;
}

/** Bytes that memory hands to a processor at once. */
const CACHE_LINE_BYTES = 64;

/** Only there so that what is read is not read for nothing, which a compiler may leave out. */
let touched: unknown = 0;

/**
 * Looks at each cache line of some samples, which lie anywhere in memory: many are then on their way at once, and copying a batch
 * of MNIST takes two thirds of the time.
 */
function touch(numbers: Float32Array, indices: ArrayLike<number>, length: number): void {
  const step = Math.max(1, CACHE_LINE_BYTES / numbers.BYTES_PER_ELEMENT);
  let last = touched;
  for (let i = 0; i < indices.length; i++) {
    const end = (indices[i]! + 1) * length;
    for (let at = end - length; at < end; at += step) last = numbers[at];
  }
  touched = last;
}

function sampleOf(tensor: Tensor, index: number): Tensor {
  const shape = tensor.shape.slice(1);
  const length = tensor.data.length / tensor.shape[0]!;
  return new Tensor(tensor.dtype, shape, tensor.data.slice(index * length, (index + 1) * length));
}
