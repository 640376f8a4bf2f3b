/** What is known about the values of one tensor, or of one channel of it. */
import { DataError } from "../errors.ts";
import { assertLayout, channelLayout, gatherChannel } from "./channel-layout.ts";
import { type Histogram, histogramOf, mergeHistograms } from "./histogram.ts";

export type { Histogram } from "./histogram.ts";

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

/** Below this many values a channel's own statistics say too little and the tensor's are used (ACIQ, edge cases). */
export const MINIMUM_CHANNEL_COUNT = 32;

/** Options of `statisticsOf`. */
export interface StatisticsOptions {
  /** Bins of the histogram; none is made when left out. */
  readonly histogramBins?: number;
  /** Name of the tensor, for the error message. */
  readonly subject?: string;
}

/**
 * Returns the statistics of values held in memory, in two passes (mean first, then deviations from it), in float64.
 *
 * sigma is the population's (divides by the count).
 *
 * @throws DataError if there are no values, or one is NaN or infinite.
 */
export function statisticsOf(values: Float32Array, options: StatisticsOptions = {}): Statistics {
  const { histogramBins, subject = "values" } = options;
  if (values.length === 0) throw new DataError(`statisticsOf: ${subject} must hold at least one value, got none.`);
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    const x = values[i]!;
    if (x < min) min = x;
    if (x > max) max = x;
    sum += x;
  }
  // Float32 values cannot overflow a float64 sum, so it is finite exactly when all values are.
  if (!Number.isFinite(sum)) {
    const at = values.findIndex((x) => !Number.isFinite(x));
    throw new DataError(`statisticsOf: ${subject} must be finite, got ${values[at]} at element ${at}.`);
  }
  // Rounding may leave the mean of equal values a hair outside them.
  const mean = Math.min(Math.max(sum / values.length, min), max);
  let absolute = 0;
  let square = 0;
  for (let i = 0; i < values.length; i++) {
    const deviation = values[i]! - mean;
    absolute += Math.abs(deviation);
    square += deviation * deviation;
  }
  return {
    count: values.length,
    min,
    max,
    mean,
    meanAbsoluteDeviation: absolute / values.length,
    standardDeviation: Math.sqrt(square / values.length),
    ...(histogramBins === undefined
      ? {}
      : { histogram: histogramOf(values, { low: min, high: max, bins: histogramBins }) }),
  };
}

/**
 * Returns the statistics of each channel of a tensor held in memory.
 *
 * @param shape Shape of the tensor; `axis` is its channel axis (weights of a convolution 0, activations 1).
 * @throws ShapeError if shape and values do not fit; DataError if a value is NaN or infinite.
 */
export function channelStatistics(
  values: Float32Array,
  shape: readonly number[],
  axis: number,
  options: StatisticsOptions = {},
): Statistics[] {
  const layout = channelLayout(shape, axis);
  assertLayout(values.length, layout, "channelStatistics");
  const { subject = "values" } = options;
  const channel = new Float32Array(layout.outer * layout.inner);
  return Array.from({ length: layout.channels }, (_, c) =>
    statisticsOf(gatherChannel(values, layout, c, channel), { ...options, subject: `channel ${c} of ${subject}` }),
  );
}

/**
 * Puts the statistics of parts (batches, channels) together.
 *
 * Count, min, max, mean and sigma are exact (Chan, Golub, LeVeque 1983). b is the parts' average weighted by their counts,
 * as in ACIQ's offline mode: each part's b is around its own mean, so the result is too small where means differ.
 * Histograms are merged when every part has one.
 *
 * @throws DataError if there are no parts.
 */
export function mergeStatistics(parts: readonly Statistics[]): Statistics {
  if (parts.length === 0) throw new DataError("mergeStatistics: there must be at least one part, got none.");
  let count = 0;
  let mean = 0;
  let square = 0;
  let absolute = 0;
  for (const part of parts) {
    const total = count + part.count;
    const shift = part.mean - mean;
    square += part.count * part.standardDeviation ** 2 + (shift * shift * count * part.count) / total;
    mean += (shift * part.count) / total;
    absolute += part.count * part.meanAbsoluteDeviation;
    count = total;
  }
  const histograms = parts.flatMap((part) => part.histogram ?? []);
  return {
    count,
    min: Math.min(...parts.map((part) => part.min)),
    max: Math.max(...parts.map((part) => part.max)),
    mean,
    meanAbsoluteDeviation: absolute / count,
    standardDeviation: Math.sqrt(square / count),
    ...(histograms.length === parts.length ? { histogram: mergeHistograms(histograms) } : {}),
  };
}

/** Returns a channel's statistics, or the whole tensor's where the channel has fewer than 32 values. */
export function channelOrTensor(channel: Statistics, tensor: Statistics): Statistics {
  return channel.count >= MINIMUM_CHANNEL_COUNT ? channel : tensor;
}

/**
 * Checks that statistics can be calculated with.
 *
 * @throws DataError naming `subject` and the number that is NaN, infinite, negative or out of order.
 */
export function assertStatistics(statistics: Statistics, subject: string): void {
  const { count, min, max, mean, meanAbsoluteDeviation, standardDeviation } = statistics;
  for (const [name, value] of Object.entries({ min, max, mean, meanAbsoluteDeviation, standardDeviation })) {
    if (Number.isFinite(value)) continue;
    throw new DataError(
      `quantize: statistics of ${subject} must be finite, got ${name} ${value}. The tensor holds NaN or infinite values.`,
    );
  }
  if (!(count > 0))
    throw new DataError(`quantize: statistics of ${subject} must be of at least one value, got ${count}.`);
  if (min > max) throw new DataError(`quantize: statistics of ${subject} must have min <= max, got ${min} > ${max}.`);
  if (meanAbsoluteDeviation < 0 || standardDeviation < 0) {
    throw new DataError(
      `quantize: deviations of ${subject} must not be negative, got b ${meanAbsoluteDeviation}, sigma ${standardDeviation}.`,
    );
  }
}
