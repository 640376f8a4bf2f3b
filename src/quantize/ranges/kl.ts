/** The clip that changes the distribution least, by Kullback-Leibler divergence: TensorRT's calibration, a baseline. */
import { type Histogram, rebin } from "../histogram.ts";
import { requiredHistogram } from "./histogram-of-request.ts";
import type { RangeMethod } from "./range-method.ts";
import { observedRange } from "./window.ts";

/** Bins over [-t, t], odd so that zero has a bin of its own (ACIQ's published baseline). */
const BINS = 2001;
/** Share given to empty bins, so that the divergence stays finite. */
const SMOOTHING = 1e-4;

/**
 * Searches the threshold t whose clipped and quantized histogram diverges least from the unclipped one: 2001 bins over
 * [-max|X|, max|X|], merged into 2^bits - 1 levels (15 at 4 bits).
 *
 * Two-sided: the range is [-t, t], cut to the observed values. One-sided: only positive values are looked at (the ReLU's
 * zeros are exact anyway), over [0, t].
 *
 * @see Migacz 2017, "8-bit inference with TensorRT", GTC s7310; as in MXNet and ACIQ's published code, except that the last
 *   bin of the last level is not left out.
 */
export const kl: RangeMethod = {
  name: "kl",
  summary: "least Kullback-Leibler divergence of the distribution (as TensorRT)",
  needs: "histogram",
  choose: (statistics, request) => {
    const histogram = requiredHistogram(statistics, request, "kl");
    const whole = observedRange(statistics, request);
    if (whole.low === whole.high) return whole;
    const levels = Math.max(1, Math.round(2 ** request.bits) - 1);
    const oneSided = request.side === "one-sided";
    const largest = oneSided ? whole.high : Math.max(Math.abs(whole.low), Math.abs(whole.high));
    const { counts } = rebin(limitedTo(histogram, whole.high), oneSided ? 0 : -largest, largest, BINS);
    const middle = oneSided ? -1 : (BINS - 1) / 2;
    const halfBins = oneSided ? BINS : (BINS - 1) / 2;
    let best = largest;
    let leastDivergence = Number.POSITIVE_INFINITY;
    for (let half = Math.max(1, oneSided ? levels : levels >> 1); half <= halfBins; half++) {
      const start = oneSided ? 0 : middle - half;
      const stop = oneSided ? half : middle + half + 1;
      const divergence = clippedDivergence(counts, start, stop, levels);
      if (divergence >= leastDivergence) continue;
      leastDivergence = divergence;
      best = oneSided ? (largest * stop) / BINS : (largest * (2 * half + 1)) / BINS;
    }
    return { low: oneSided ? 0 : Math.max(whole.low, -best), high: Math.min(whole.high, best) };
  },
};

/** Values above a ceiling gathered at the ceiling. */
function limitedTo(histogram: Histogram, ceiling: number): Histogram {
  if (ceiling >= histogram.high) return histogram;
  const bins = histogram.counts.length;
  const kept = rebin(histogram, histogram.low, ceiling, bins);
  let above = 0;
  for (let i = 0; i < bins; i++) above += histogram.counts[i]! - kept.counts[i]!;
  kept.counts[bins - 1]! += above;
  return kept;
}

/** KL divergence between counts clipped to [start, stop) and the same merged into levels and spread out again. */
function clippedDivergence(counts: Float64Array, start: number, stop: number, levels: number): number {
  const size = stop - start;
  if (size < levels) return Number.POSITIVE_INFINITY;
  const clipped = counts.slice(start, stop);
  for (let i = 0; i < start; i++) clipped[0]! += counts[i]!;
  for (let i = stop; i < counts.length; i++) clipped[size - 1]! += counts[i]!;
  const merged = new Float64Array(size);
  const perLevel = Math.floor(size / levels);
  for (let level = 0; level < levels; level++) {
    const from = level * perLevel;
    const to = level === levels - 1 ? size : from + perLevel;
    let sum = 0;
    let filled = 0;
    for (let i = from; i < to; i++) {
      sum += counts[start + i]!;
      if (counts[start + i]! > 0) filled++;
    }
    for (let i = from; i < to; i++) if (counts[start + i]! > 0) merged[i] = sum / filled;
  }
  return divergence(clipped, merged);
}

function divergence(p: Float64Array, q: Float64Array): number {
  const pTotal = smooth(p);
  const qTotal = smooth(q);
  if (pTotal === 0 || qTotal === 0) return Number.POSITIVE_INFINITY;
  let sum = 0;
  for (let i = 0; i < p.length; i++) sum += (p[i]! / pTotal) * Math.log((p[i]! * qTotal) / (q[i]! * pTotal));
  return sum;
}

/** Gives every empty bin a little of what the others have; returns the total, 0 when all bins are empty. */
function smooth(counts: Float64Array): number {
  let total = 0;
  let empty = 0;
  for (const count of counts) {
    total += count;
    if (count === 0) empty++;
  }
  if (total === 0) return 0;
  const given = (SMOOTHING * total) / counts.length;
  const factor = 1 - (given * empty) / total;
  for (let i = 0; i < counts.length; i++) counts[i] = counts[i] === 0 ? given : counts[i]! * factor;
  return total;
}
