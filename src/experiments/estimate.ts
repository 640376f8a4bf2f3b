/** Means with standard errors, over seeds and over samples. */

/** A measured number. */
export interface Estimate {
  readonly mean: number;
  /** Of the mean; null when it is not known, as with a single seed. */
  readonly standardError: number | null;
}

/** Tells whether a cell is an estimate. */
export function isEstimate(value: unknown): value is Estimate {
  return typeof value === "object" && value !== null && "mean" in value && "standardError" in value;
}

/** Returns mean and standard error of one number per seed. */
export function estimate(values: readonly number[]): Estimate {
  const mean = meanOf(values);
  return { mean, standardError: values.length < 2 ? null : Math.sqrt(varianceOfMean(values, mean)) };
}

/**
 * Returns mean and standard error of numbers that were measured on the same samples with every seed: `values[seed][sample]`.
 *
 * Seeds and samples are two sources of chance. The variance of the mean is taken as the sum of that over seeds (of the means
 * over samples) and that over samples (of the means over seeds); what depends on both is counted in both, so that the
 * standard error is too large rather than too small. With a single seed it says nothing about other seeds.
 */
export function estimateOverSeedsAndSamples(values: readonly ArrayLike<number>[]): Estimate {
  const samples = values[0]!.length;
  const ofSeeds = values.map((seed) => meanOf(seed));
  const ofSamples = new Float64Array(samples);
  for (const seed of values) for (let i = 0; i < samples; i++) ofSamples[i]! += seed[i]! / values.length;
  const mean = meanOf(ofSeeds);
  const overSeeds = values.length < 2 ? 0 : varianceOfMean(ofSeeds, mean);
  return { mean, standardError: Math.sqrt(overSeeds + varianceOfMean(ofSamples, mean)) };
}

/** Returns how much better the second is than the first on the same samples, seed by seed: percentage points. */
export function pairedDifference(first: readonly Uint8Array[], second: readonly Uint8Array[]): Estimate {
  return estimateOverSeedsAndSamples(
    second.map((right, seed) => Float64Array.from(right, (value, i) => 100 * (value - first[seed]![i]!))),
  );
}

/** Returns the share of samples that are right (1, wrong 0), in percent. */
export function accuracy(right: readonly Uint8Array[]): Estimate {
  return estimateOverSeedsAndSamples(right.map((seed) => Float64Array.from(seed, (value) => 100 * value)));
}

function meanOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}

function varianceOfMean(values: ArrayLike<number>, mean: number): number {
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (values[i]! - mean) ** 2;
  return squares / (values.length - 1) / values.length;
}
