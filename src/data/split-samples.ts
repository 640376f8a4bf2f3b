/** Parts of data sets: each class in the share it has in the whole. */
import { OptionError } from "../errors.ts";
import { seededRandom, shuffledIndices } from "../tensor/index.ts";
import { type Dataset, selectSamples } from "./dataset.ts";

/** Two parts of a data set that have all of its samples. */
export interface SplitSamples {
  readonly chosen: Dataset;
  readonly rest: Dataset;
}

/**
 * Splits a data set in two: `count` samples drawn at random by `seed`, of each class in proportion, and the rest, both in the
 * order they had. Samples without labels are one class.
 *
 * @throws OptionError if the count is not a whole number from 1 to one less than there are.
 */
export function splitSamples(dataset: Dataset, count: number, seed = 0): SplitSamples {
  if (!Number.isInteger(count) || count < 1 || count >= dataset.count) {
    throw new OptionError(
      `${dataset.description}: a part must have from 1 to ${dataset.count - 1} of ${dataset.count} samples, got ${count}.`,
    );
  }
  const isChosen = new Uint8Array(dataset.count);
  for (const index of stratified(dataset, count, seed)) isChosen[index] = 1;
  const indices = Uint32Array.from(isChosen, (_, index) => index);
  const part = (which: 0 | 1): Dataset =>
    selectSamples(
      dataset,
      indices.filter((index) => isChosen[index] === which),
    );
  return { chosen: part(1), rest: part(0) };
}

/**
 * Returns at most `limit` samples, drawn at random by `seed`, of each class in proportion, in the order they had.
 *
 * @param limit Undefined, or at least the count: the data set as it is.
 * @throws OptionError if the limit is not a whole number above zero.
 */
export function stratifiedSubset(dataset: Dataset, limit: number | undefined, seed = 0): Dataset {
  if (limit === undefined) return dataset;
  if (!Number.isInteger(limit) || limit < 1) {
    throw new OptionError(`data: limit must be a whole number above zero, got ${limit}.`);
  }
  if (limit >= dataset.count) return dataset;
  const chosen = stratified(dataset, limit, seed).sort();
  return selectSamples(dataset, chosen, `${dataset.description} (${limit} of ${dataset.count}, seed ${seed})`);
}

/** The largest remainders get what is left over after rounding down, as seats are given by Hamilton's method. */
function stratified({ labels, count: total }: Dataset, count: number, seed: number): Uint32Array {
  const order = shuffledIndices(total, seededRandom(seed));
  const byClass = new Map<number, number[]>();
  for (const index of order) {
    const label = labels?.[index] ?? 0;
    const members = byClass.get(label);
    if (members) members.push(index);
    else byClass.set(label, [index]);
  }
  const shares = [...byClass].map(([label, members]) => {
    const exact = (members.length * count) / total;
    return { label, members, whole: Math.floor(exact), remainder: exact - Math.floor(exact) };
  });
  const left = count - shares.reduce((sum, { whole }) => sum + whole, 0);
  shares.sort((a, b) => b.remainder - a.remainder || a.label - b.label);
  return Uint32Array.from(shares.flatMap(({ members, whole }, i) => members.slice(0, whole + (i < left ? 1 : 0))));
}
