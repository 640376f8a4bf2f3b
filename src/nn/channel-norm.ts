/** Norms of the channels of weights, as numbers and as operators of a program. */
import type { Ops } from "../build/index.ts";
import type { Value } from "../program/index.ts";
import { elementCount, type Tensor, tensorOf, toNumbers } from "../tensor/index.ts";

/** Exponent of a norm: the sum of absolute values, their Euclidean norm, or the largest of them. */
export type NormExponent = 1 | 2 | "inf";

/** Norms up to this count as 0: such channels have no direction. */
const FLOOR = 1e-12;

/** Which norm of which channels. */
export interface ChannelAxis {
  readonly p: NormExponent;
  /** Axis of the channels; norms are over all others. */
  readonly axis: number;
}

/**
 * Returns v / ||v||_p channel by channel. Channels of zeros stay zeros, with gradients of zero: pruned channels stay pruned.
 *
 * Shapes: v [..., channels, ...] -> the same.
 */
export function channelDirections(ops: Ops, v: Value, { p, axis }: ChannelAxis): Value {
  const axes = ops.shapeOf(v).flatMap((_, other) => (other === axis ? [] : [other]));
  // Squares are compared, not roots: the root has no finite slope at 0.
  const [size, floor] =
    p === 2
      ? [ops.reduceSum(ops.square(v), { axes }), FLOOR ** 2]
      : [p === 1 ? ops.reduceSum(ops.abs(v), { axes }) : ops.reduceMax(ops.abs(v), { axes }), FLOOR];
  const atLeast = ops.max(size, floor);
  const inverse = ops.reciprocal(p === 2 ? ops.sqrt(atLeast) : atLeast);
  return ops.mul(v, ops.where(ops.greater(size, floor), inverse, 0));
}

/** Returns ||v||_p of each channel. */
export function channelNormsOf(v: Tensor, { p, axis }: ChannelAxis): Float64Array {
  const norms = new Float64Array(v.shape[axis]!);
  const channelOf = channelIndex(v.shape, axis);
  toNumbers(v).forEach((x: number, i: number) => {
    const c = channelOf(i);
    norms[c] = p === "inf" ? Math.max(norms[c]!, Math.abs(x)) : norms[c]! + Math.abs(x) ** p;
  });
  return p === 2 ? norms.map(Math.sqrt) : norms;
}

/** Returns v with each channel scaled to the length: what `channelDirections` times lengths computes, in float64. */
export function withChannelLengths(v: Tensor, lengths: ArrayLike<number>, channels: ChannelAxis): Tensor {
  const norms = channelNormsOf(v, channels);
  const factors = norms.map((norm, c) => (norm > FLOOR ? lengths[c]! / norm : 0));
  const channelOf = channelIndex(v.shape, channels.axis);
  return tensorOf(
    v.dtype,
    v.shape,
    Float64Array.from(toNumbers(v), (x, i) => x * factors[channelOf(i)]!),
  );
}

function channelIndex(shape: readonly number[], axis: number): (element: number) => number {
  const inner = elementCount(shape.slice(axis + 1));
  return (element) => Math.floor(element / inner) % shape[axis]!;
}
