/** Counts of values in equal bins: what distribution-free methods read instead of the values. */
import { DataError } from "../errors.ts";

/** Counts of values in equal bins over [low, high]; values outside were not there (low = min, high = max). */
export interface Histogram {
  readonly low: number;
  readonly high: number;
  readonly counts: Float64Array;
}

/** Bins of a histogram unless told otherwise: a little more than the 2001 of the KL method (ACIQ). */
export const HISTOGRAM_BINS = 2048;

/** Bins of the histogram of one channel, of which there are far more. */
export const CHANNEL_HISTOGRAM_BINS = 256;

/**
 * Returns the histogram of values over their own range, or over a given one that values outside of are counted at the ends of.
 *
 * @param options.bins Default 2048.
 * @throws DataError if there are no values or the range is not finite (values hold NaN or infinity).
 */
export function histogramOf(
  values: Float32Array,
  options: { readonly low?: number; readonly high?: number; readonly bins?: number } = {},
): Histogram {
  const { low = least(values), high = most(values), bins = HISTOGRAM_BINS } = options;
  if (!(Number.isFinite(low) && Number.isFinite(high) && low <= high)) {
    throw new DataError(`histogramOf: the range of the values must be finite, got [${low}, ${high}].`);
  }
  const counts = new Float64Array(bins);
  const binsPerUnit = high > low ? bins / (high - low) : 0;
  for (let i = 0; i < values.length; i++) {
    const bin = Math.floor((values[i]! - low) * binsPerUnit);
    counts[bin < 0 ? 0 : bin >= bins ? bins - 1 : bin]! += 1;
  }
  return { low, high, counts };
}

/** Returns the number of values in a histogram. */
export function histogramTotal(histogram: Histogram): number {
  let total = 0;
  for (const count of histogram.counts) total += count;
  return total;
}

/**
 * Returns the histogram over other bins, each old bin's count shared out as if its values were spread evenly. Values outside
 * the new range are left out.
 */
export function rebin(histogram: Histogram, low: number, high: number, bins: number): Histogram {
  const counts = new Float64Array(bins);
  const width = (high - low) / bins;
  const oldWidth = (histogram.high - histogram.low) / histogram.counts.length;
  if (!(width > 0) || !(oldWidth > 0)) {
    // All values, or all that is wanted, at one point.
    const bin = width > 0 ? Math.min(bins - 1, Math.floor((histogram.low - low) / width)) : 0;
    if (histogram.low >= low && histogram.high <= high) counts[bin] = histogramTotal(histogram);
    return { low, high, counts };
  }
  for (let i = 0; i < histogram.counts.length; i++) {
    const count = histogram.counts[i]!;
    if (count === 0) continue;
    const start = (histogram.low + i * oldWidth - low) / width;
    const end = start + oldWidth / width;
    const last = Math.min(bins - 1, Math.ceil(end) - 1);
    for (let bin = Math.max(0, Math.floor(start)); bin <= last; bin++) {
      counts[bin]! += (count * (Math.min(end, bin + 1) - Math.max(start, bin))) / (end - start);
    }
  }
  return { low, high, counts };
}

/** Returns one histogram of all values over the union of the ranges, with as many bins as the finest has. */
export function mergeHistograms(histograms: readonly Histogram[]): Histogram {
  const low = Math.min(...histograms.map((histogram) => histogram.low));
  const high = Math.max(...histograms.map((histogram) => histogram.high));
  const bins = Math.max(...histograms.map((histogram) => histogram.counts.length));
  const counts = new Float64Array(bins);
  for (const histogram of histograms) {
    const rebinned = rebin(histogram, low, high, bins);
    for (let i = 0; i < bins; i++) counts[i]! += rebinned.counts[i]!;
  }
  return { low, high, counts };
}

/** Returns the value below which a share of the counts lies, 0 <= share <= 1, by linear interpolation within the bin. */
export function quantileOf(histogram: Histogram, share: number): number {
  const { low, high, counts } = histogram;
  const width = (high - low) / counts.length;
  let left = share * histogramTotal(histogram);
  for (let i = 0; i < counts.length; i++) {
    const count = counts[i]!;
    if (count > 0 && left <= count) return Math.min(high, low + (i + left / count) * width);
    left -= count;
  }
  return high;
}

function least(values: Float32Array): number {
  let result = Number.POSITIVE_INFINITY;
  for (let i = 0; i < values.length; i++) result = Math.min(result, values[i]!);
  return result;
}

function most(values: Float32Array): number {
  let result = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) result = Math.max(result, values[i]!);
  return result;
}
