/** Quantization error measured on a histogram, as if the values of each bin were spread evenly over it. */
import type { Side } from "./aciq/bin-count.ts";
import { type Grid, gridRange } from "./grid.ts";
import type { Histogram } from "./histogram.ts";

/** What the values go through before they are quantized; a `RangeRequest` is one. */
export interface Activation {
  /** "one-sided": the histogram is of values before a ReLU, what is quantized is max(x, 0). Default "two-sided". */
  readonly side?: Side;
  /** What is quantized is at most this. Default infinite. */
  readonly ceiling?: number;
}

/**
 * Returns the mean squared error between values and the nearest numbers of a grid; for many grids, see `errorMeter`.
 *
 * Exact for values evenly spread within bins: the squared error is integrated over each bin in closed form, whatever number
 * of steps it spans.
 */
export function measuredMse(histogram: Histogram, grid: Grid, activation: Activation = {}): number {
  return errorMeter(histogram, activation)(grid);
}

/**
 * Returns a function that measures the errors of grids on one histogram, each in time of its levels, not of the bins.
 *
 * With y the values after the activation, q the grid's number nearest to the largest of them, and e the places below q that
 * are halfway between two numbers of the grid, summation by parts gives
 *
 *   sum (y - Q(y))^2 = sum (y - q)^2 - 2 scale sum_e G(e),   G(e) = sum max(e - y, 0).
 */
export function errorMeter(histogram: Histogram, activation: Activation = {}): (grid: Grid) => number {
  const { low, high, counts } = histogram;
  const [floor, ceiling] = activationBounds(activation);
  const least = Math.min(Math.max(low, floor), ceiling);
  const most = Math.min(Math.max(high, floor), ceiling);
  if (!(least < most)) return (grid) => pointError(grid, least);
  const width = (high - low) / counts.length;
  const binsPerUnit = counts.length / (high - low);
  // The count before each bin, and G there, of values that are not bounded by the activation yet.
  const before = new Float64Array(counts.length + 1);
  const shortfall = new Float64Array(counts.length + 1);
  let square = 0;
  for (let bin = 0; bin < counts.length; bin++) {
    const count = counts[bin]!;
    const start = low + bin * width;
    before[bin + 1] = before[bin]! + count;
    shortfall[bin + 1] = shortfall[bin]! + (before[bin]! + count / 2) * width;
    square += (count / width) * boundedSquares(start, start + width, floor, ceiling);
  }
  const shortfallAt = (x: number): number => {
    const position = (x - low) * binsPerUnit;
    const bin = Math.min(counts.length - 1, Math.floor(position));
    const share = position - bin;
    return shortfall[bin]! + (before[bin]! + (counts[bin]! * share) / 2) * share * width;
  };
  const total = before[counts.length]!;
  // A bound below moves values up to it: G is then less by what they were short of it.
  const atLeast = shortfallAt(least);
  const sum = total * most - (shortfallAt(most) - atLeast);
  return (grid) => {
    const { scale } = grid;
    const { low: lowest } = gridRange(grid);
    const levelOf = (x: number): number => Math.floor((x - lowest) / scale + 0.5);
    const top = Math.min(Math.max(0, levelOf(most)), 2 ** grid.bits - 1);
    const q = lowest + top * scale;
    let shortfalls = 0;
    for (let level = Math.max(0, levelOf(least)); level < top; level++) {
      shortfalls += shortfallAt(lowest + (level + 0.5) * scale) - atLeast;
    }
    // Differences of the sums may round a hair below zero where every error is zero.
    return total > 0 ? Math.max(0, (square - 2 * q * sum + q * q * total - 2 * scale * shortfalls) / total) : 0;
  };
}

/** The integral over [start, end] of what becomes of x^2 when x is bounded. */
function boundedSquares(start: number, end: number, floor: number, ceiling: number): number {
  const from = Math.min(Math.max(start, floor), ceiling);
  const to = Math.min(Math.max(end, floor), ceiling);
  const below = start < floor ? floor * floor * (Math.min(end, floor) - start) : 0;
  const above = end > ceiling ? ceiling * ceiling * (end - Math.max(start, ceiling)) : 0;
  return below + above + (to * to * to - from * from * from) / 3;
}

/** Returns the bounds that an activation puts on values: [0 or -infinity, ceiling]. */
export function activationBounds({ side, ceiling = Number.POSITIVE_INFINITY }: Activation): [number, number] {
  return [side === "one-sided" ? 0 : Number.NEGATIVE_INFINITY, ceiling];
}

function pointError(grid: Grid, x: number): number {
  const { low, high } = gridRange(grid);
  if (!Number.isFinite(x)) return 0;
  const nearest = Math.min(Math.max(low + Math.round((x - low) / grid.scale) * grid.scale, low), high);
  return (x - nearest) ** 2;
}
