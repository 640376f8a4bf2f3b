/** The clip that changes the distribution least, by Kullback-Leibler divergence: TensorRT's calibration, a baseline. */
import { type Histogram, rebin } from "../histogram.ts";
import { requiredHistogram } from "./histogram-of-request.ts";
import type { RangeMethod } from "./range-method.ts";
import { observedRange, windowAround } from "./window.ts";

/** Bins over [-t, t], odd so that zero has a bin of its own (ACIQ's published baseline). */
const BINS = 2001;
/** Share of all values that an end bin without values of its own is given, so that the divergence stays finite. */
const SMOOTHING = 1e-4;

/**
 * Searches the threshold t whose clipped and quantized histogram diverges least from the unclipped one: 2001 bins over
 * [-max|X|, max|X|], merged into 2^bits - 1 levels (15 at 4 bits).
 *
 * Two-sided: the range is mean +- t (ACIQ section 4, as in its code). One-sided: only positive values are looked at (the
 * ReLU's zeros are exact anyway), 2001 bins over [0, max]; the range is [0, t].
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
    const seen = limitedTo(histogram, whole.high);
    if (request.side === "one-sided") {
      const sums = cumulate(rebin(seen, 0, whole.high, BINS).counts);
      const bins = leastDivergent(levels, BINS, (size) => divergenceOf(sums, 0, size, levels));
      return { low: 0, high: (whole.high * bins) / BINS };
    }
    const largest = Math.max(Math.abs(whole.low), Math.abs(whole.high));
    const sums = cumulate(rebin(seen, -largest, largest, BINS).counts);
    const middle = (BINS - 1) / 2;
    const half = leastDivergent(levels >> 1, middle, (size) =>
      divergenceOf(sums, middle - size, middle + size + 1, levels),
    );
    return windowAround(statistics, (largest * (2 * half + 1)) / BINS, request);
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

/** The size from `least` to `most` with the least divergence; the larger of equals. */
function leastDivergent(least: number, most: number, divergenceAt: (size: number) => number): number {
  let best = most;
  let leastDivergence = divergenceAt(most);
  for (let size = most - 1; size >= Math.max(1, least); size--) {
    const divergence = divergenceAt(size);
    if (divergence >= leastDivergence) continue;
    best = size;
    leastDivergence = divergence;
  }
  return best;
}

/** Sums over all bins before each: of counts, of bins with values, of c log c. They make a divergence cost its levels only. */
interface Cumulated {
  readonly counts: Float64Array;
  readonly sum: Float64Array;
  readonly filled: Float64Array;
  readonly logs: Float64Array;
}

function cumulate(counts: Float64Array): Cumulated {
  const sum = new Float64Array(counts.length + 1);
  const filled = new Float64Array(counts.length + 1);
  const logs = new Float64Array(counts.length + 1);
  counts.forEach((count, i) => {
    sum[i + 1] = sum[i]! + count;
    filled[i + 1] = filled[i]! + (count > 0 ? 1 : 0);
    logs[i + 1] = logs[i]! + xLogX(count);
  });
  return { counts, sum, filled, logs };
}

/**
 * KL(P || Q) for bins [start, stop): P has the values outside added to its end bins; Q has the values inside merged into
 * levels, each spread evenly over the bins of its level that are not empty.
 */
function divergenceOf({ counts, sum, filled, logs }: Cumulated, start: number, stop: number, levels: number): number {
  const perLevel = Math.floor((stop - start) / levels);
  const total = sum[sum.length - 1]!;
  const inside = sum[stop]! - sum[start]!;
  if (perLevel === 0 || !(inside > 0)) return Number.POSITIVE_INFINITY;
  let divergence = logs[stop]! - logs[start]!;
  let firstLogQ = 0;
  let logQ = 0;
  for (let level = 0; level < levels; level++) {
    const from = start + level * perLevel;
    const to = level === levels - 1 ? stop : from + perLevel;
    const sumOfLevel = sum[to]! - sum[from]!;
    const binsOfLevel = filled[to]! - filled[from]!;
    logQ = binsOfLevel > 0 ? Math.log(sumOfLevel / binsOfLevel) : 0;
    if (level === 0) firstLogQ = logQ;
    divergence -= sumOfLevel * logQ;
  }
  const logFloor = Math.log((SMOOTHING * inside) / (stop - start));
  divergence += outlierTerm(counts[start]!, sum[start]!, firstLogQ, logFloor);
  divergence += outlierTerm(counts[stop - 1]!, total - sum[stop]!, logQ, logFloor);
  return divergence / total + Math.log(inside / total);
}

/** What outliers gathered in an end bin of P add to sum p log(p / q). */
function outlierTerm(count: number, outliers: number, logQ: number, logFloor: number): number {
  return xLogX(count + outliers) - xLogX(count) - outliers * (count > 0 ? logQ : logFloor);
}

function xLogX(x: number): number {
  return x > 0 ? x * Math.log(x) : 0;
}
