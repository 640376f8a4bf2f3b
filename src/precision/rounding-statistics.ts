/** What rounding did to a tensor, reduced inside the program to a few numbers: memory does not grow with what is kept. */
import type { Ops, RoundedTensor } from "../build/index.ts";
import type { Value } from "../program/index.ts";
import { elementCount, type Tensor, toNumbers } from "../tensor/index.ts";
import { cosineOfSums } from "./angles.ts";

/** What rounding did to a tensor. */
export interface RoundingStatistics {
  /** Of the angle between the tensor and its codes; see `tensorCosine`. */
  readonly cosine: number;
  /** Share of the numbers that were clipped: beyond what the grid spans. */
  readonly saturated: number;
  /** Share of the numbers that are not 0, and were rounded to 0. */
  readonly underflow: number;
  /** Numbers of the tensor; with chunks, of a part of the batch. */
  readonly count: number;
}

/** Writes the statistics of a rounded tensor: a vector for `readRoundingStatistics`. */
export function roundingStatistics(ops: Ops, { exact, rounded, limits }: RoundedTensor): Value {
  const error = ops.sub(rounded, exact);
  const isClipped = limits && ops.or(ops.greater(exact, limits.high), ops.less(exact, limits.low));
  const isLost = ops.and(ops.equal(rounded, 0), ops.not(ops.equal(exact, 0)));
  const count = elementCount(ops.shapeOf(exact));
  return vector(ops, [
    sum(ops, ops.square(exact)),
    sum(ops, ops.mul(exact, error)),
    sum(ops, ops.square(error)),
    isClipped ? share(ops, isClipped, exact) : ops.scalar(0, exact.dtype!),
    share(ops, isLost, exact),
    ops.scalar(count, exact.dtype!),
  ]);
}

/** Reads what `roundingStatistics` wrote. */
export function readRoundingStatistics(written: Tensor): RoundingStatistics {
  const [squares, products, errors, saturated, underflow, count] = toNumbers(written) as unknown as number[];
  const cosine = cosineOfSums({ squares: squares!, products: products!, errors: errors! });
  return { cosine, saturated: saturated!, underflow: underflow!, count: count! };
}

/** How the magnitudes of a tensor are distributed, by powers of two below the largest. */
export interface MagnitudeHistogram {
  readonly largest: number;
  /** Share of zeros. */
  readonly zeros: number;
  /** Shares of numbers: bin k holds 2^-(k + 1) largest < |x| <= 2^-k largest; the last one all that are smaller, but for zeros. */
  readonly bins: readonly number[];
}

/** Writes the histogram of x: a vector for `readMagnitudeHistogram`. */
export function magnitudeHistogram(ops: Ops, x: Value, bins: number): Value {
  const size = ops.abs(x);
  const largest = ops.reduceMax(size, { keepDims: false });
  // By products, exact with powers of two: a quotient would need care where all are zero.
  const least = Array.from({ length: bins - 1 }, (_, k) => ops.mul(largest, 2 ** -(k + 1)));
  const above = [...least, ops.scalar(0, x.dtype!)].map((bound) => share(ops, ops.greater(size, bound), x));
  return vector(ops, [largest, ...above]);
}

/** Reads what `magnitudeHistogram` wrote. */
export function readMagnitudeHistogram(written: Tensor): MagnitudeHistogram {
  const [largest, ...above] = toNumbers(written) as unknown as [number, ...number[]];
  const bins = above.map((shareAbove, k) => shareAbove - (above[k - 1] ?? 0));
  return { largest, zeros: 1 - above.at(-1)!, bins };
}

function sum(ops: Ops, x: Value): Value {
  return ops.reduceSum(x, { keepDims: false });
}

function share(ops: Ops, holds: Value, { dtype }: Value): Value {
  return ops.reduceMean(ops.cast(holds, dtype!), { keepDims: false });
}

function vector(ops: Ops, numbers: readonly Value[]): Value {
  return ops.concat(
    numbers.map((number) => ops.reshape(number, [1])),
    0,
  );
}
