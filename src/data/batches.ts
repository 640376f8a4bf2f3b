/** Batches of a data set, read one ahead of the model. */
import { OptionError } from "../errors.ts";
import type { Dataset, Sample } from "./dataset.ts";
import { type BatchFeeds, toFeeds } from "./feeds.ts";
import { fixedBatchSize, type ModelInput } from "./model-input.ts";

/** Samples that were read together. */
export interface SampleBatch {
  /** Number of the first sample. */
  readonly start: number;
  readonly samples: readonly Sample[];
}

/**
 * Reads a data set batch by batch, the next batch while the caller works on this one: at most two are in memory.
 *
 * @param batchSize Samples at once; the last batch may be smaller.
 * @throws DataError if a sample cannot be read. OptionError if the batch size is not a whole number above zero.
 */
export async function* sampleBatches(dataset: Dataset, batchSize: number): AsyncGenerator<SampleBatch> {
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new OptionError(`data: batch size must be a whole number above zero, got ${batchSize}.`);
  }
  const read = async (start: number): Promise<SampleBatch> => {
    const length = Math.min(batchSize, dataset.count - start);
    return { start, samples: await Promise.all(Array.from({ length }, (_, i) => dataset.sample(start + i))) };
  };
  let next: Promise<SampleBatch> | undefined = dataset.count > 0 ? read(0) : undefined;
  while (next !== undefined) {
    const batch: SampleBatch = await next;
    const start = batch.start + batchSize;
    next = start < dataset.count ? read(start) : undefined;
    // A failed read must wait for its turn rather than end the process as an unhandled rejection.
    next?.catch(() => {});
    yield batch;
  }
}

/** Inputs of a model, batch by batch; what `quantize` calls calibration data. */
export interface FeedSource {
  readonly description: string;
  /** Number of samples. */
  readonly count: number;
  /** Starts over at each call and gives the same inputs each time. */
  batches(): AsyncIterable<BatchFeeds>;
}

/**
 * Makes a data set into inputs for one model.
 *
 * @param batchSize Samples in a batch; default 16. A model with a fixed batch gets exactly that many, the last batch left
 *   out when it is not full (and refused when there is no full one, so that nothing is quietly measured on nothing).
 * @throws OptionError if the data set has fewer samples than the model's fixed batch.
 */
export function feedSource(dataset: Dataset, inputs: readonly ModelInput[], batchSize = 16): FeedSource {
  const fixed = fixedBatchSize(inputs);
  const size = fixed ?? batchSize;
  const count = fixed === undefined ? dataset.count : dataset.count - (dataset.count % fixed);
  if (count === 0) {
    throw new OptionError(`data: a model with a fixed batch must get ${fixed} samples at least, got ${dataset.count}.`);
  }
  return {
    description: dataset.description,
    count,
    async *batches() {
      for await (const { start, samples } of sampleBatches(dataset, size)) {
        const nameOf = (index: number): string => dataset.sampleName(start + index);
        if (fixed !== undefined && samples.length < fixed) return;
        yield toFeeds(samples, inputs, { where: dataset.description, nameOf });
      }
    },
  };
}
