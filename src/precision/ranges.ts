/** Ranges of tensors, as they are in this step. */
import type { Ops } from "../build/index.ts";
import type { Value } from "../program/index.ts";
import type { ValueRange } from "./grid.ts";

/** Least and largest number of x. Shape: []. */
export function tensorRange(ops: Ops, x: Value): ValueRange {
  return { low: ops.reduceMin(x, { keepDims: false }), high: ops.reduceMax(x, { keepDims: false }) };
}

/** The means over the examples (axis 0) of their least and their largest numbers. Shape: []. */
export function sampleRange(ops: Ops, x: Value): ValueRange {
  const axes = ops.shapeOf(x).flatMap((_, axis) => (axis === 0 ? [] : [axis]));
  if (axes.length === 0) return tensorRange(ops, x);
  const mean = (values: Value): Value => ops.reduceMean(values, { keepDims: false });
  return { low: mean(ops.reduceMin(x, { axes })), high: mean(ops.reduceMax(x, { axes })) };
}

/** Least and largest number of each channel, shaped to broadcast to x. */
export function channelRange(ops: Ops, x: Value, channelAxis: number): ValueRange {
  const axes = ops.shapeOf(x).flatMap((_, axis) => (axis === channelAxis ? [] : [axis]));
  return { low: ops.reduceMin(x, { axes }), high: ops.reduceMax(x, { axes }) };
}
