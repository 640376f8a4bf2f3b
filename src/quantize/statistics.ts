/** What is known about the values of one tensor, or of one channel of it. */

/** Counts of values in equal bins over [low, high]; values outside were not there (low = min, high = max). */
export interface Histogram {
  readonly low: number;
  readonly high: number;
  readonly counts: Float64Array;
}

/** Summary of a set of values: symbols as in ACIQ (arXiv:1810.05723). */
export interface Statistics {
  /** Number of values seen. */
  readonly count: number;
  readonly min: number;
  readonly max: number;
  /** mu. */
  readonly mean: number;
  /** b = mean|X - mu|, the Laplace scale; around the mean, not around zero. */
  readonly meanAbsoluteDeviation: number;
  /** sigma. */
  readonly standardDeviation: number;
  /** Present when a method asked for it. */
  readonly histogram?: Histogram;
}
