/** Weight decay, in the gradient or beside it. */
import type { Ops } from "../build/index.ts";
import type { Value } from "../program/index.ts";
import type { GroupedGradient } from "./parameter-groups.ts";

/** gradient + weightDecay w: decay as the gradient of a penalty, which moments and momentum see too. */
export function coupledDecay(ops: Ops, { parameter, gradient, weightDecay }: GroupedGradient): Value {
  return weightDecay === 0 ? gradient : ops.add(gradient, ops.mul(parameter.value, weightDecay));
}

/** w (1 - learningRate weightDecay): decay beside the gradient. */
export function decoupledDecay(ops: Ops, { parameter, learningRate, weightDecay }: GroupedGradient): Value {
  if (weightDecay === 0) return parameter.value;
  return ops.mul(parameter.value, ops.sub(1, ops.mul(learningRate, weightDecay)));
}
