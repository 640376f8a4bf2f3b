/** Ranges of tensors, as they are in this step. */
import type { Ops } from "../build/index.ts";
import type { Value } from "../program/index.ts";
import type { ValueRange } from "./grid.ts";

/** Operators whose results are nowhere negative: their least number need not be looked for, as grids have 0 anyway. */
const NOT_NEGATIVE = new Set(["Relu", "Sigmoid", "Softmax", "Abs", "Exp"]);

/** Operators that only move numbers. */
const MOVES = new Set(["MaxPool", "Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze", "Identity"]);

/** Least and largest number of x. Shape: []. */
export function tensorRange(ops: Ops, x: Value): ValueRange {
  const high = ops.reduceMax(x, { keepDims: false });
  return isNotNegative(x) ? { high } : { low: ops.reduceMin(x, { keepDims: false }), high };
}

function isNotNegative({ producer }: Value): boolean {
  if (producer?.domain !== "") return false;
  return NOT_NEGATIVE.has(producer.operator) || (MOVES.has(producer.operator) && isNotNegative(producer.input(0)));
}

/** The means over the examples (axis 0) of their least and their largest numbers. Shape: []. */
export function sampleRange(ops: Ops, x: Value): ValueRange {
  const axes = ops.shapeOf(x).flatMap((_, axis) => (axis === 0 ? [] : [axis]));
  if (axes.length === 0) return tensorRange(ops, x);
  const mean = (values: Value): Value => ops.reduceMean(values, { keepDims: false });
  const high = mean(ops.reduceMax(x, { axes }));
  return isNotNegative(x) ? { high } : { low: mean(ops.reduceMin(x, { axes })), high };
}

/**
 * The range, which is NaN where x holds a number that is not finite: reductions to extremes drop NaN, and codes have none, so that
 * the step would go on as if nothing had happened.
 */
export function watched(ops: Ops, x: Value, { low, high }: ValueRange): ValueRange {
  return { low, high: ops.add(high, ops.mul(ops.reduceSum(x, { keepDims: false }), 0)) };
}

/** Least and largest number of each channel, shaped to broadcast to x. */
export function channelRange(ops: Ops, x: Value, channelAxis: number): ValueRange {
  const axes = ops.shapeOf(x).flatMap((_, axis) => (axis === channelAxis ? [] : [axis]));
  return { low: ops.reduceMin(x, { axes }), high: ops.reduceMax(x, { axes }) };
}
