/** A bounded number of sampled values, kept by channel, from any number of batches. */
import type { Tensor } from "../tensor/index.ts";
import type { Histogram, Statistics } from "./statistics.ts";

/** Bins of a tensor's histogram: as many as the KL method's 2001 need; and of a channel's, of which there are far more. */
const TENSOR_BINS = 2048;
const CHANNEL_BINS = 256;

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
    const bins = channel === undefined ? TENSOR_BINS : CHANNEL_BINS;
    const counts = new Float64Array(bins);
    const scale = high > low ? bins / (high - low) : 0;
    for (const { data, shape } of this.#batches) {
      const values = data as Float32Array;
      const [before, channels, after] = shape as [number, number, number];
      const from = channel ?? 0;
      const to = channel === undefined ? channels : channel + 1;
      for (let n = 0; n < before; n++) {
        for (let i = (n * channels + from) * after; i < (n * channels + to) * after; i++) {
          const bin = Math.min(bins - 1, Math.max(0, Math.floor((values[i]! - low) * scale)));
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
