/** Gradients of normalizations by a norm, and by the responses of neighbouring channels. */
import type { GradientRule, Ops } from "../../build/index.ts";
import type { Value } from "../../program/index.ts";
import { elementCount, tensorOf } from "../../tensor/index.ts";

/** y = x / |x|: (dy - u sum of y dy) / |x|, u = y for p = 2 and sign(x) for p = 1; dy where |x| is 0. */
const lpNormalization: GradientRule = ({ node, ops, dy }) => {
  const [x, y] = [node.input(0), node.output()];
  const axes = [node.int("axis", -1)];
  const absolute = node.int("p", 2) === 1;
  const size = absolute ? ops.reduceSum(ops.abs(x), { axes }) : ops.sqrt(ops.reduceSum(ops.square(x), { axes }));
  const norm = ops.where(ops.equal(size, 0), 1, size);
  const direction = absolute ? ops.sign(x) : ops.div(x, norm);
  const along = ops.reduceSum(ops.mul(y, dy), { axes });
  return [ops.div(ops.sub(dy, ops.mul(direction, along)), norm)];
};

/**
 * y = x s^-beta, s = bias + alpha / size * sum of x^2 over the channels around:
 *
 *   dx = s^-beta dy - 2 alpha beta / size * x * (sum of y dy / s over the channels that this one is around)
 *
 * Shapes: x [batch, channels, ...places].
 */
const localResponse: GradientRule = ({ node, ops, dy }) => {
  const x = node.input(0);
  const [alpha, beta, size] = [node.float("alpha", 1e-4), node.float("beta", 0.75), node.int("size", 1)];
  const channels = ops.shapeOf(x)[1]!;
  const before = Math.floor((size - 1) / 2);
  const near = (channel: number, other: number) => other >= channel - before && other < channel - before + size;
  const around = (value: Value) => mixChannels(ops, value, channels, near);
  const backAround = (value: Value) => mixChannels(ops, value, channels, (channel, other) => near(other, channel));
  const s = ops.add(ops.mul(around(ops.square(x)), alpha / size), node.float("bias", 1));
  const power = ops.pow(s, -beta);
  const along = backAround(ops.div(ops.mul(ops.mul(x, power), dy), s));
  return [ops.sub(ops.mul(power, dy), ops.mul(x, ops.mul(along, (2 * alpha * beta) / size)))];
};

/** The sum, for each channel, of the others that are `near`: a product with a matrix of ones and zeros. */
function mixChannels(ops: Ops, x: Value, channels: number, near: (channel: number, other: number) => boolean): Value {
  const shape = ops.shapeOf(x);
  const ones = Array.from({ length: channels * channels }, (_, i) =>
    near(Math.floor(i / channels), i % channels) ? 1 : 0,
  );
  const matrix = ops.constant(tensorOf(x.dtype!, [channels, channels], ones));
  const flat = ops.reshape(x, [shape[0]!, channels, elementCount(shape.slice(2))]);
  return ops.reshape(ops.matMul(matrix, flat), shape);
}

/** Normalizations by a norm and by neighbours. */
export const responseNormalizations: Readonly<Record<string, GradientRule>> = {
  LpNormalization: lpNormalization,
  LRN: localResponse,
};
