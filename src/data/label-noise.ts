/** Wrong labels on purpose. */
import { DataError, OptionError } from "../errors.ts";
import { seededRandom, shuffledIndices } from "../tensor/index.ts";
import type { Dataset } from "./dataset.ts";

/**
 * Returns the data set with a share of its labels replaced, each by another class drawn uniformly: symmetric label noise.
 * Which samples and which classes follows from the seed.
 *
 * @param share From 0 to 1; the number of samples is rounded.
 * @throws OptionError if the share is not from 0 to 1. DataError if there are no labels, or only one class.
 */
export function withLabelNoise(
  dataset: Dataset,
  share: number,
  { classes, seed = 0 }: { classes: number; seed?: number },
): Dataset {
  if (!(share >= 0 && share <= 1)) {
    throw new OptionError(`data: label noise must be a share from 0 to 1, got ${share}.`);
  }
  if (share === 0) return dataset;
  if (dataset.labels === undefined || classes < 2) {
    throw new DataError(
      `${dataset.description}: must have labels of two classes at least to replace some, got others.`,
    );
  }
  const random = seededRandom(seed);
  const labels = dataset.labels.slice();
  for (const index of shuffledIndices(dataset.count, random).subarray(0, Math.round(share * dataset.count))) {
    const other = random.integer(classes - 1);
    labels[index] = other < labels[index]! ? other : other + 1;
  }
  return { ...dataset, labels, description: `${dataset.description}, ${100 * share} % of labels replaced` };
}
