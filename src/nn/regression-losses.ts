/** Losses of numbers that are predicted. */
import type { GradientRule, Scope } from "../build/index.ts";
import { OptionError } from "../errors.ts";
import type { Value } from "../program/index.ts";
import { assertAlike, type LossOptions, lossLabel, lossWriter, reduce } from "./loss.ts";

/**
 * (x - target)^2, its mean by default: torch.nn.MSELoss.
 *
 * Shapes: x and target alike -> scalar, or as x for reduction "none".
 *
 * @throws ShapeError, DTypeError if x and target differ in shape or element type.
 * @example
 * const loss = nn.meanSquaredError(prediction, target, scope);
 */
export function meanSquaredError(x: Value, target: Value, scope: Scope, options: LossOptions = {}): Value {
  assertAlike(x, target, lossLabel(scope, "meanSquaredError"));
  const ops = lossWriter(scope, "meanSquaredError");
  return reduce(ops, ops.square(ops.sub(x, target)), options.reduction);
}

/**
 * |x - target|, its mean by default: torch.nn.L1Loss.
 *
 * Shapes: x and target alike -> scalar, or as x for reduction "none".
 *
 * @throws ShapeError, DTypeError if x and target differ in shape or element type.
 * @example
 * const loss = nn.meanAbsoluteError(prediction, target, scope);
 */
export function meanAbsoluteError(x: Value, target: Value, scope: Scope, options: LossOptions = {}): Value {
  assertAlike(x, target, lossLabel(scope, "meanAbsoluteError"));
  const ops = lossWriter(scope, "meanAbsoluteError");
  return reduce(ops, ops.abs(ops.sub(x, target)), options.reduction);
}

/** How the Huber loss is made. */
export interface HuberOptions extends LossOptions {
  /** Distance up to which the loss is quadratic. Default 1. */
  readonly delta?: number;
}

/**
 * d^2 / 2 for differences d = x - target up to delta, delta (|d| - delta / 2) beyond: torch.nn.HuberLoss.
 *
 * Shapes: x and target alike -> scalar, or as x for reduction "none".
 *
 * @throws OptionError if delta is not positive.
 * @throws ShapeError, DTypeError if x and target differ in shape or element type.
 * @see Huber 1964, "Robust Estimation of a Location Parameter"
 * @example
 * const loss = nn.huber(prediction, target, scope, { delta: 0.5 });
 */
export function huber(x: Value, target: Value, scope: Scope, { delta = 1, reduction }: HuberOptions = {}): Value {
  assertAlike(x, target, lossLabel(scope, "huber"));
  assertPositive("huber: delta", delta);
  const ops = lossWriter(scope, "huber");
  return reduce(ops, huberOf(ops, ops.sub(x, target), delta), reduction);
}

/** How the smooth L1 loss is made. */
export interface SmoothL1Options extends LossOptions {
  /** Distance up to which the loss is quadratic. Default 1. */
  readonly beta?: number;
}

/**
 * d^2 / (2 beta) for differences d = x - target up to beta, |d| - beta / 2 beyond: torch.nn.SmoothL1Loss, which is huber
 * divided by beta.
 *
 * Shapes: x and target alike -> scalar, or as x for reduction "none".
 *
 * @throws OptionError if beta is not positive.
 * @throws ShapeError, DTypeError if x and target differ in shape or element type.
 * @see Girshick 2015, "Fast R-CNN", arXiv:1504.08083
 * @example
 * const loss = nn.smoothL1(box, target, scope, { beta: 1 / 9 });
 */
export function smoothL1(x: Value, target: Value, scope: Scope, { beta = 1, reduction }: SmoothL1Options = {}): Value {
  assertAlike(x, target, lossLabel(scope, "smoothL1"));
  assertPositive("smoothL1: beta", beta);
  const ops = lossWriter(scope, "smoothL1");
  return ops.mul(reduce(ops, huberOf(ops, ops.sub(x, target), beta), reduction), 1 / beta);
}

/** c (d - c / 2) with c = d limited to [-delta, delta], whose gradient is c: both cases without a condition. */
function huberOf(ops: ReturnType<typeof lossWriter>, d: Value, delta: number): Value {
  const limited = ops.clip(d, -delta, delta);
  const loss = ops.mul(limited, ops.sub(d, ops.mul(limited, 0.5)));
  const rule: GradientRule = ({ ops, dy }) => [ops.mul(dy, limited)];
  return ops.customGradient([d], [loss], rule)[0]!;
}

function assertPositive(what: string, number: number): void {
  if (!(number > 0)) throw new OptionError(`${what} must be positive, got ${number}.`);
}
