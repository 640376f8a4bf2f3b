/** Gradients that are scaled per channel before a convolution takes them: the scale moves into the weights. */
import type { Value } from "../../program/index.ts";
import { elementCount } from "../../tensor/index.ts";
import type { BlockedContext } from "./blocked-rule.ts";
import { isNchwc } from "./nchwc.ts";

/** What takes a gradient and can take its scale too. */
const TAKERS = ["modicum:ConvInputGradient", "modicum:ConvWeightGradient"];

/** A gradient without its scale. */
export interface ScaledGradient {
  readonly gradient: Value;
  /** One number per channel; undefined where there was no scale, or others need the product. */
  readonly scale: Value | undefined;
}

/**
 * Takes a scale off a gradient whose only readers are gradients of convolutions: what is left is a small product with weights
 * instead of a pass over the whole tensor. Batch normalization ends with such a scale.
 */
export function withoutScale({ ops, isReadOnlyBy }: BlockedContext, dy: Value): ScaledGradient {
  const conv = dy.producer;
  const same = { gradient: dy, scale: undefined };
  if (!isNchwc(conv, "Conv") || conv.inputs.length > 2 || !isReadOnlyBy(dy, TAKERS)) return same;
  const filter = ops.shapeOf(conv.input(1));
  const channels = ops.shapeOf(dy)[1]!;
  const isScale =
    conv.int("group", 1) === channels && elementCount(filter) === channels && !conv.attributes.has("activation");
  return isScale ? { gradient: conv.input(0), scale: ops.reshape(conv.input(1), [channels]) } : same;
}

/** Multiplies each filter of a weight [out, ...] by its number; the weight itself without a scale. */
export function scaledFilters({ ops }: BlockedContext, weight: Value, scale: Value | undefined): Value {
  if (!scale) return weight;
  const rest = ops.shapeOf(weight).slice(1);
  return ops.mul(weight, ops.reshape(scale, [-1, ...rest.map(() => 1)]));
}
