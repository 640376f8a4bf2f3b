/** Rounding activations to a grid whose scale is learned, and leaving some of them out of the rounding. */
import type { Ops, Scope } from "../build/index.ts";
import type { Value } from "../program/index.ts";
import { type ActivationGrid, highestCode } from "../quantize/index.ts";
import { float32 } from "../tensor/index.ts";

/**
 * Returns x rounded to a grid: `(clip(floor(x / scale + 1/2) + zeroPoint, lowest, highest) - zeroPoint) * scale`.
 *
 * Gradients pass to x where it is not clipped (straight through), and to the scale as if the codes were constants there:
 * the sum of `dy (code - zeroPoint - x / scale)` inside the range and of `dy (code - zeroPoint)` outside. LSQ multiplies that by
 * 1 / sqrt(elements * codes); Adam divides by the gradient's size, so that the factor would change nothing.
 *
 * @param scale Scalar; with `channelScales` what those are multiplied by.
 * @see Esser et al. 2020, "Learned Step Size Quantization", arXiv:1902.08153, equations 1 to 3
 */
export function fakeQuantize(x: Value, grid: ActivationGrid, scale: Value, ops: Ops): Value {
  if (!grid.channelScales) return roundToGrid(x, grid, scale, ops);
  const { channelScales } = grid;
  const shape = [1, channelScales.length, ...Array.from({ length: ops.rankOf(x) - 2 }, () => 1)];
  const shares = ops.cast(ops.constant(float32(shape, channelScales)), x.dtype!);
  return ops.mul(roundToGrid(ops.div(x, shares), grid, scale, ops), shares);
}

function roundToGrid(x: Value, grid: ActivationGrid, scale: Value, ops: Ops): Value {
  const steps = ops.div(x, scale);
  const nearest = ops.floor(ops.add(steps, 0.5));
  const codes = ops.clip(nearest, grid.lowestCode - grid.zeroPoint, highestCode(grid) - grid.zeroPoint);
  const rounded = ops.mul(codes, scale);
  const [result] = ops.customGradient([x, scale], [rounded], (context) => {
    const { dy, ops: inner } = context;
    const isInside = inner.lessOrEqual(inner.abs(inner.sub(codes, steps)), 0.5);
    const dx = inner.mul(dy, inner.cast(isInside, dy.dtype!));
    if (!context.needs(1)) return [dx];
    return [dx, inner.reshape(inner.sub(dot(inner, dy, codes), dot(inner, dx, steps)), [])];
  });
  return result!;
}

/** The sum of all products of elements, [1, 1]: as a product of matrices, one pass over both instead of three. */
function dot(ops: Ops, a: Value, b: Value): Value {
  return ops.matMul(ops.reshape(a, [1, -1]), ops.reshape(b, [-1, 1]));
}

/**
 * Replaces each element of a rounded tensor by its float with probability one half, other elements in each step: what is
 * learned then fits more than one pattern of rounding errors. The choice is shared along the batch, which costs a batch-th of
 * the random numbers.
 *
 * @see Wei et al. 2022, "QDrop: Randomly Dropping Quantization for Extremely Low-bit Post-Training Quantization",
 *   arXiv:2203.05740
 */
export function dropRounding(float: Value, rounded: Value, scope: Scope): Value {
  const { ops } = scope;
  const [, ...sample] = ops.shapeOf(float);
  const isFloat = ops.cast(ops.less(scope.random.uniform([1, ...sample]), 0.5), float.dtype!);
  return ops.add(rounded, ops.mul(isFloat, ops.sub(float, rounded)));
}
