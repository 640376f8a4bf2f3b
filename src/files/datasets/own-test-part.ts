/** A test part for data that come without one. */
import { type Dataset, splitSamples } from "../../data/index.ts";
import { DataError } from "../../errors.ts";

/** Share of the samples. */
const SHARE = 0.1;

/**
 * Takes a tenth of each class to test with. It is the same tenth in every run: what was trained on with one seed must not be
 * tested with under another.
 *
 * @throws DataError if there are fewer than ten samples.
 */
export function withTestPart(dataset: Dataset): { readonly train: Dataset; readonly test: Dataset } {
  const count = Math.round(SHARE * dataset.count);
  if (dataset.count < 10) {
    throw new DataError(
      `${dataset.description}: must have 10 samples at least to test with some, got ${dataset.count}.`,
    );
  }
  const { chosen, rest } = splitSamples(dataset, count);
  return { train: rest, test: { ...chosen, description: `${dataset.description}, a tenth to test` } };
}
