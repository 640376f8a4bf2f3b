/** A bounded number of sampled values, kept by channel, from any number of batches. */
import type { Tensor } from "../tensor/index.ts";
import type { Histogram, Statistics } from "./statistics.ts";

/** Bins of a histogram: as many as the KL method's 2001 need, with room to spare. */
const BINS = 2048;

/**
 * Keeps about `capacity` values of each channel: when twice that have come, every other batch is dropped and from then on
 * only every second (fourth, ...) batch is taken, so that all batches stay equally likely to be represented.
 */
export class SampleStore {
  readonly #capacity: number;
  #batches: Tensor[] = [];
  #stride = 1;
  #seen = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Adds sampled values of shape [before, channels, after]. */
  add(samples: Tensor): void {
    if (this.#seen++ % this.#stride !== 0) return;
    this.#batches.push(samples);
    if (
      this.#batches.reduce((sum, batch) => sum + perChannel(batch), 0) < 2 * this.#capacity ||
      this.#batches.length < 2
    )
      return;
    this.#batches = this.#batches.filter((_, i) => i % 2 === 0);
    this.#stride *= 2;
  }

  /** Returns the statistics with a histogram of the samples, of one channel or of all. */
  withHistogram(statistics: Statistics, channel?: number): Statistics {
    if (this.#batches.length === 0) return statistics;
    const { min: low, max: high } = statistics;
    const counts = new Float64Array(BINS);
    const scale = high > low ? BINS / (high - low) : 0;
    for (const { data, shape } of this.#batches) {
      const values = data as Float32Array;
      const [before, channels, after] = shape as [number, number, number];
      const from = channel ?? 0;
      const to = channel === undefined ? channels : channel + 1;
      for (let n = 0; n < before; n++) {
        for (let i = (n * channels + from) * after; i < (n * channels + to) * after; i++) {
          const bin = Math.min(BINS - 1, Math.max(0, Math.floor((values[i]! - low) * scale)));
          counts[bin]! += 1;
        }
      }
    }
    return { ...statistics, histogram: { low, high, counts } satisfies Histogram };
  }
}

function perChannel(samples: Tensor): number {
  return samples.shape[0]! * samples.shape[2]!;
}
