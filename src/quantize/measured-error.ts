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
 * The error of a level q whose codes come from [a, b] is `M2 - 2 q M1 + q^2 M0`, with Mk the integral of x^k over the
 * histogram from a to b: a difference of integrals up to b and up to a.
 */
export function errorMeter(histogram: Histogram, activation: Activation = {}): (grid: Grid) => number {
  const { low, high } = histogram;
  const [floor, ceiling] = activationBounds(activation);
  const clamp = (x: number): number => (x < floor ? floor : x > ceiling ? ceiling : x);
  if (high <= low) return (grid) => pointError(grid, clamp(low));
  const integralsUpTo = integralsOf(histogram);
  const countUpTo = (x: number): number => integralsUpTo(x)[0]!;
  const total = countUpTo(high);
  const [start, stop] = [clamp(low), clamp(high)];
  const belowFloor = floor > low ? countUpTo(Math.min(floor, high)) : 0;
  const aboveCeiling = ceiling < high ? total - countUpTo(Math.max(ceiling, low)) : 0;
  let before = integralsUpTo(start);
  let now: Float64Array = new Float64Array(3);
  return (grid) => {
    const { scale } = grid;
    const { low: lowest } = gridRange(grid);
    const lastLevel = 2 ** grid.bits - 1;
    let sum = belowFloor * pointError(grid, floor) + aboveCeiling * pointError(grid, ceiling);
    let level = Math.min(Math.max(0, Math.floor((start - lowest) / scale + 0.5)), lastLevel);
    integralsUpTo(start, before);
    for (let end = start; end < stop; level++) {
      end = level === lastLevel ? stop : Math.min(stop, lowest + (level + 0.5) * scale);
      integralsUpTo(end, now);
      const q = lowest + level * scale;
      sum += now[2]! - before[2]! - 2 * q * (now[1]! - before[1]!) + q * q * (now[0]! - before[0]!);
      const spare = before;
      before = now;
      now = spare;
    }
    // Differences of the integrals may round a hair below zero where every error is zero.
    return total > 0 ? Math.max(0, sum / total) : 0;
  };
}

/** Returns a function that gives the integrals of 1, x and x^2 over a histogram from its lowest value up to another. */
function integralsOf({ low, high, counts }: Histogram): (x: number, into?: Float64Array) => Float64Array {
  const width = (high - low) / counts.length;
  const [before0, before1, before2] = [0, 1, 2].map(() => new Float64Array(counts.length + 1)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const upTo = (x: number, into: Float64Array = new Float64Array(3)): Float64Array => {
    const bin = Math.min(counts.length - 1, Math.floor((x - low) / width));
    const edge = low + bin * width;
    const rest = x - edge;
    const count = (counts[bin]! * rest) / width;
    into[0] = before0[bin]! + count;
    into[1] = before1[bin]! + count * (edge + rest / 2);
    into[2] = before2[bin]! + count * (edge * edge + edge * rest + (rest * rest) / 3);
    return into;
  };
  for (let bin = 0; bin < counts.length; bin++) {
    const edge = low + bin * width;
    const count = counts[bin]!;
    before0[bin + 1] = before0[bin]! + count;
    before1[bin + 1] = before1[bin]! + count * (edge + width / 2);
    before2[bin + 1] = before2[bin]! + count * (edge * edge + edge * width + (width * width) / 3);
  }
  return upTo;
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
