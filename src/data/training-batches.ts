/** Batches to train on: samples in random order, with their labels. */
import { DataError, OptionError } from "../errors.ts";
import { int64, type Random, seededRandom, shuffledIndices, Tensor } from "../tensor/index.ts";
import { sampleBatches } from "./batches.ts";
import { type Dataset, type Sample, selectSamples } from "./dataset.ts";

/** Changes a sample at random, such as `cropAndFlip`. */
export type Augmentation = (sample: Sample, random: Random) => Sample;

/** How one pass over the data is made. */
export interface TrainingBatchOptions {
  readonly batchSize: number;
  /** Number of the pass: each has an order and augmentations of its own. */
  readonly epoch: number;
  /** Default 0. */
  readonly seed?: number;
  /** Default: samples as they are. */
  readonly augment?: Augmentation;
  /** Whether a last batch that is not full is left out (the default: its samples come in other passes) or given as it is. */
  readonly dropLast?: boolean;
  /** Name under which labels are given. Default "label". */
  readonly label?: string;
}

/**
 * Reads a data set in random order, batch by batch: samples stacked along a new first axis, under their names, and labels as
 * int64 [batch]. The same seed and epoch give the same batches, on every machine. The next batch is read while the
 * caller works on this one.
 *
 * @throws DataError if the data set has no labels, or samples differ in shape.
 * @throws OptionError if the batch size is not a whole number above zero, or there are fewer samples than one batch.
 * @example
 * for (let epoch = 0; epoch < 10; epoch++)
 *   for await (const { x, label } of trainingBatches(dataset, { batchSize: 64, epoch })) await training.run({ x, label });
 */
export async function* trainingBatches(
  dataset: Dataset,
  { batchSize, epoch, seed = 0, augment, dropLast = true, label = "label" }: TrainingBatchOptions,
): AsyncGenerator<Record<string, Tensor>> {
  if (dataset.labels === undefined) {
    throw new DataError(`${dataset.description}: samples must have labels to train on, got none.`);
  }
  const random = seededRandom(seed * 1_000_003 + epoch);
  const order = shuffledIndices(dataset.count, random);
  const count = dropLast ? dataset.count - (dataset.count % batchSize) : dataset.count;
  if (count === 0) {
    throw new OptionError(
      `${dataset.description}: must have at least one batch of ${batchSize}, got ${dataset.count} samples.`,
    );
  }
  const shuffled = selectSamples(dataset, order.subarray(0, count));
  for await (const { start, samples } of sampleBatches(shuffled, batchSize)) {
    const changed = augment ? samples.map((sample) => augment(sample, random)) : samples;
    const labels = shuffled.labels!.subarray(start, start + samples.length);
    yield { ...stackSamples(changed, dataset.description), [label]: int64([...labels]) };
  }
}

/** Stacks samples along a new first axis, name by name. @throws DataError if they differ in names, shape or element type. */
export function stackSamples(samples: readonly Sample[], where = "stackSamples"): Record<string, Tensor> {
  const [first] = samples;
  return Object.fromEntries(
    Object.entries(first ?? {}).map(([name, tensor]) => {
      const all = samples.map((sample) => sample[name]);
      const odd = all.find((one) => one?.dtype !== tensor.dtype || one.shape.join() !== tensor.shape.join());
      if (odd !== undefined || all.includes(undefined)) {
        throw new DataError(
          `${where}: samples of a batch must have one shape, got "${name}" as ${tensor.dtype} [${tensor.shape.join(", ")}] ` +
            `and ${odd ? `${odd.dtype} [${odd.shape.join(", ")}]` : "not at all"}.`,
        );
      }
      return [name, stack(all as Tensor[])];
    }),
  );
}

function stack(tensors: readonly Tensor[]): Tensor {
  const { dtype, shape, data } = tensors[0]!;
  if (Array.isArray(data))
    return new Tensor(
      dtype,
      [tensors.length, ...shape],
      tensors.flatMap((one) => one.data as string[]),
    );
  const all = new (data.constructor as new (length: number) => Exclude<Tensor["data"], string[]>)(
    data.length * tensors.length,
  );
  tensors.forEach((tensor, index) => {
    (all as Float32Array).set(tensor.data as Float32Array, index * data.length);
  });
  return new Tensor(dtype, [tensors.length, ...shape], all);
}
