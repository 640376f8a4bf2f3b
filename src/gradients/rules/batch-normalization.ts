/** Gradient of batch normalization, with given statistics and with the batch's own. */
import type { GradientContext, GradientRule, Ops } from "../../build/index.ts";
import type { Value } from "../../program/index.ts";
import { elementCount } from "../../tensor/index.ts";
import { normalize, normalizedGradient } from "./normalization.ts";
import { throughDecomposition } from "./through-decomposition.ts";

/** ONNX's defaults. */
const EPSILON = 1e-5;
const MOMENTUM = 0.9;

/** All axes but the channels'. */
function otherAxes(ops: Ops, x: Value): number[] {
  return ops.shapeOf(x).flatMap((_, axis) => (axis === 1 ? [] : [axis]));
}

/** A value per channel in x's rank and element type: statistics may be wider. */
function perChannel(ops: Ops, value: Value, x: Value): Value {
  const others = otherAxes(ops, x).slice(1);
  return ops.reshape(ops.cast(value, x.dtype!), [-1, ...others.map(() => 1)]);
}

/** The sum over all axes but the channels', in the element type of the input at `index`. */
function total({ node, ops }: GradientContext, index: number, gradient: Value): Value {
  const sum = ops.reduceSum(gradient, { axes: otherAxes(ops, gradient), keepDims: false });
  return ops.cast(sum, node.input(index).dtype!);
}

/**
 * y = n scale + shift, n = (x - mean) r, r = 1 / sqrt(variance + epsilon), the statistics being inputs.
 *
 * dx = r scale dy, dscale = sum of n dy, dshift = sum of dy, dmean = -sum of r scale dy,
 * dvariance = -1/2 r^2 scale (sum of n dy)
 */
const inference: GradientRule = (context) => {
  const { node, ops, dy } = context;
  const x = node.input(0);
  const epsilon = node.float("epsilon", EPSILON);
  const [scale, mean, variance] = [1, 3, 4].map((index) => perChannel(ops, node.input(index), x)) as [
    Value,
    Value,
    Value,
  ];
  const r = ops.reciprocal(ops.sqrt(ops.add(variance, epsilon)));
  const slope = ops.mul(r, scale);
  const along = () => ops.mul(dy, ops.mul(ops.sub(x, mean), r));
  return [
    context.needs(0) ? ops.mul(dy, slope) : undefined,
    context.needs(1) ? total(context, 1, along()) : undefined,
    context.needs(2) ? total(context, 2, dy) : undefined,
    context.needs(3) ? total(context, 3, ops.neg(ops.mul(dy, slope))) : undefined,
    context.needs(4) ? total(context, 4, ops.mul(along(), ops.mul(ops.mul(r, slope), -0.5))) : undefined,
  ];
};

/**
 * The same with the batch's mean and (biased) variance; outputs 1 and 2 are momentum * given + (1 - momentum) * the batch's.
 *
 * Of m elements of a channel, each gets 1 / m of the mean's gradient and 2 (x - mean) / m of the variance's.
 */
const training: GradientRule = (context) => {
  const { node, ops } = context;
  const x = node.input(0);
  const axes = otherAxes(ops, x);
  const momentum = node.float("momentum", MOMENTUM);
  const [dy, dMean, dVariance] = [0, 1, 2].map((index) => context.gradient(index));
  const normalized = normalize(ops, x, { axes, epsilon: node.float("epsilon", EPSILON) });
  const { n, r } = normalized;
  const count = elementCount(axes.map((axis) => ops.shapeOf(x)[axis]!));
  const ofBatch = (gradient: Value, factor: number) => perChannel(ops, ops.mul(gradient, (1 - momentum) * factor), x);
  const inputGradient = () => {
    const dn = dy && ops.mul(dy, perChannel(ops, node.input(1), x));
    const parts = [
      dn && normalizedGradient(ops, normalized, dn),
      dMean && ops.expand(ofBatch(dMean, 1 / count), ops.shapeOf(x)),
      dVariance && ops.mul(n, ops.div(ofBatch(dVariance, 2 / count), r)),
    ];
    return parts.filter((part) => part !== undefined).reduce((a, b) => ops.add(a, b));
  };
  return [
    context.needs(0) ? inputGradient() : undefined,
    dy && context.needs(1) ? total(context, 1, ops.mul(dy, n)) : undefined,
    dy && context.needs(2) ? total(context, 2, dy) : undefined,
    dMean && context.needs(3) ? ops.mul(dMean, momentum) : undefined,
    dVariance && context.needs(4) ? ops.mul(dVariance, momentum) : undefined,
  ];
};

/** Batch normalization. */
export const batchNormalizations: Readonly<Record<string, GradientRule>> = {
  "modicum:Standardize": throughDecomposition,
  BatchNormalization: (context) => (context.node.int("training_mode", 0) === 1 ? training : inference)(context),
};
