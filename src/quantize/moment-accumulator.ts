/** Moments of many batches put together, for one tensor or for all its channels at once. */
import type { Statistics } from "./statistics.ts";

/** One batch's moments, one entry per channel. */
export interface BatchMoments {
  /** Values per channel in this batch. */
  readonly count: number;
  readonly mean: ArrayLike<number>;
  readonly min: ArrayLike<number> | undefined;
  readonly max: ArrayLike<number> | undefined;
  /** Sum of |x - batch mean|. */
  readonly absolute: ArrayLike<number> | undefined;
  /** Sum of (x - batch mean)^2. */
  readonly square: ArrayLike<number> | undefined;
}

/**
 * Adds up moments batch by batch: count, minimum, maximum, mean and variance exactly (Chan, Golub, LeVeque 1983), mean
 * absolute deviation as the average over batches of each batch's own.
 */
export class MomentAccumulator {
  readonly #count: Float64Array;
  readonly #mean: Float64Array;
  readonly #min: Float64Array;
  readonly #max: Float64Array;
  readonly #absolute: Float64Array;
  readonly #square: Float64Array;

  constructor(channels: number) {
    this.#count = new Float64Array(channels);
    this.#mean = new Float64Array(channels);
    this.#min = new Float64Array(channels).fill(Number.POSITIVE_INFINITY);
    this.#max = new Float64Array(channels).fill(Number.NEGATIVE_INFINITY);
    this.#absolute = new Float64Array(channels);
    this.#square = new Float64Array(channels);
  }

  /** Adds one batch. */
  add({ count, mean, min, max, absolute, square }: BatchMoments): void {
    for (let c = 0; c < this.#count.length; c++) {
      const before = this.#count[c]!;
      const total = before + count;
      const shift = mean[c]! - this.#mean[c]!;
      this.#mean[c]! += (shift * count) / total;
      this.#square[c]! += (shift * shift * before * count) / total;
      if (square) this.#square[c]! += square[c]!;
      if (absolute) this.#absolute[c]! += absolute[c]!;
      if (min && min[c]! < this.#min[c]!) this.#min[c] = min[c]!;
      if (max && max[c]! > this.#max[c]!) this.#max[c] = max[c]!;
      this.#count[c] = total;
    }
  }

  /** Returns the means so far. */
  means(): Float64Array {
    return this.#mean.slice();
  }

  /** Returns everything so far, one entry per channel. */
  statistics(): Statistics[] {
    return Array.from(this.#count, (count, c) => ({
      count,
      min: this.#min[c]!,
      max: this.#max[c]!,
      mean: this.#mean[c]!,
      meanAbsoluteDeviation: this.#absolute[c]! / count,
      standardDeviation: Math.sqrt(this.#square[c]! / count),
    }));
  }
}
