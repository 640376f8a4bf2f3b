/** A bounded number of sampled values, kept by channel, from any number of batches. */
import { Tensor } from "../tensor/index.ts";
import { CHANNEL_HISTOGRAM_BINS, HISTOGRAM_BINS } from "./histogram.ts";
import type { Histogram, Statistics } from "./statistics.ts";

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
    const { min: low, max: high } = statistics;
    const bins = channel === undefined ? HISTOGRAM_BINS : CHANNEL_HISTOGRAM_BINS;
    const counts = new Float64Array(bins);
    const scale = high > low ? bins / (high - low) : 0;
    for (const values of this.#runs(channel)) {
      for (let i = 0; i < values.length; i++) {
        const bin = Math.floor((values[i]! - low) * scale);
        counts[bin < 0 ? 0 : bin >= bins ? bins - 1 : bin]! += 1;
      }
    }
    return { ...statistics, histogram: { low, high, counts } satisfies Histogram };
  }

  /** Returns the statistics with b and sigma of the samples around the known mean, of one channel or of all. */
  withDeviations(statistics: Statistics, channel?: number): Statistics {
    const { mean } = statistics;
    let count = 0;
    let absolute = 0;
    let square = 0;
    for (const values of this.#runs(channel)) {
      count += values.length;
      for (let i = 0; i < values.length; i++) {
        const deviation = values[i]! - mean;
        absolute += Math.abs(deviation);
        square += deviation * deviation;
      }
    }
    return { ...statistics, meanAbsoluteDeviation: absolute / count, standardDeviation: Math.sqrt(square / count) };
  }

  /** Returns the samples with each channel divided by its number. */
  dividedBy(divisors: Float32Array): SampleStore {
    const divided = new SampleStore(this.#capacity);
    divided.#batches = this.#batches.map(({ data, shape }) => {
      const after = shape[2]!;
      const values = Float32Array.from(data as Float32Array);
      for (let run = 0, at = 0; at < values.length; run++) {
        const divisor = divisors[run % divisors.length]!;
        for (const end = at + after; at < end; at++) values[at]! /= divisor;
      }
      return new Tensor("float32", shape, values);
    });
    return divided;
  }

  /** Returns the variance of each channel's samples around the known means. */
  channelVariances(means: Float64Array): Float64Array {
    const square = new Float64Array(means.length);
    let count = 0;
    for (const { data, shape } of this.#batches) {
      const [before, channels, after] = shape as [number, number, number];
      const values = data as Float32Array;
      for (let at = 0, n = 0; n < before; n++) {
        for (let c = 0; c < channels; c++) {
          const mean = means[c]!;
          let sum = 0;
          for (const end = at + after; at < end; at++) {
            const deviation = values[at]! - mean;
            sum += deviation * deviation;
          }
          square[c]! += sum;
        }
      }
      count += before * after;
    }
    return square.map((sum) => sum / count);
  }

  /** The samples of one channel, or of all, as pieces of the batches' arrays. */
  *#runs(channel: number | undefined): Generator<Float32Array> {
    for (const { data, shape } of this.#batches) {
      const values = data as Float32Array;
      const [before, channels, after] = shape as [number, number, number];
      if (channel === undefined) yield values;
      else {
        for (let n = 0; n < before; n++) {
          const start = (n * channels + channel) * after;
          yield values.subarray(start, start + after);
        }
      }
    }
  }
}

function perChannel(samples: Tensor): number {
  return samples.shape[0]! * samples.shape[2]!;
}
