/** The same batch of several data sets at a time. */
import { type Dataset, type Sample, sampleBatches } from "../data/index.ts";
import { DataError } from "../errors.ts";

/** One batch of each data set. */
export interface JointBatch {
  /** Number of the first sample. */
  readonly start: number;
  readonly samples: ReadonlyMap<Dataset, readonly Sample[]>;
}

/**
 * Reads data sets side by side, each once even if it is given twice: the same pictures, prepared for different models.
 *
 * @throws DataError if they differ in length, or a sample cannot be read.
 */
export async function* jointBatches(datasets: readonly Dataset[], batchSize: number): AsyncGenerator<JointBatch> {
  const distinct = [...new Set(datasets)];
  const [first, ...others] = distinct;
  const odd = others.find((dataset) => dataset.count !== first!.count);
  if (odd) {
    throw new DataError(
      `${odd.description}: all models must be evaluated on the same samples (${first!.count}), got ${odd.count}.`,
    );
  }
  const readers = distinct.map((dataset) => sampleBatches(dataset, batchSize));
  try {
    while (true) {
      const batches = await Promise.all(readers.map((reader) => reader.next()));
      const [head] = batches;
      if (head === undefined || head.done) return;
      yield {
        start: head.value.start,
        samples: new Map(batches.map((batch, i) => [distinct[i]!, batch.done ? [] : batch.value.samples])),
      };
    }
  } finally {
    for (const reader of readers) await reader.return(undefined);
  }
}
