/** The loss of yes-or-no predictions. */
import type { Scope } from "../build/index.ts";
import { ShapeError } from "../errors.ts";
import type { Value } from "../program/index.ts";
import { tensorOf } from "../tensor/index.ts";
import { shownShape } from "./check-input.ts";
import { assertAlike, type LossOptions, lossLabel, lossWriter, reduce } from "./loss.ts";

/** How binary cross-entropy is made. */
export interface BinaryCrossEntropyOptions extends LossOptions {
  /** What positive examples count, relative to negative ones: one number, or one along the last axis. Default 1. */
  readonly positiveWeight?: number | readonly number[];
}

/**
 * -(positiveWeight t log p + (1 - t) log(1 - p)), p = sigmoid(score), its mean by default: torch.nn.BCEWithLogitsLoss.
 *
 * Takes scores, not probabilities: log(sigmoid(x)) is computed without overflow and without log(0).
 *
 * Shapes: scores and target (in [0, 1]) alike -> scalar, or as the scores for reduction "none".
 *
 * @throws ShapeError, DTypeError if scores and target differ in shape or element type.
 * @example
 * const loss = nn.binaryCrossEntropy(scores, target, scope);
 */
export function binaryCrossEntropy(
  scores: Value,
  target: Value,
  scope: Scope,
  { positiveWeight = 1, reduction }: BinaryCrossEntropyOptions = {},
): Value {
  const label = lossLabel(scope, "binaryCrossEntropy");
  assertAlike(scores, target, label);
  const ops = lossWriter(scope, "binaryCrossEntropy");
  if (positiveWeight === 1) {
    return reduce(ops, ops.sub(ops.softplus(scores), ops.mul(scores, target)), reduction);
  }
  if (typeof positiveWeight !== "number" && positiveWeight.length !== scores.shape?.at(-1)) {
    throw new ShapeError(
      `${label}: positiveWeight must have one number along the last axis of the scores, ` +
        `got ${positiveWeight.length} for ${shownShape(scores)}.`,
    );
  }
  const weight =
    typeof positiveWeight === "number"
      ? positiveWeight
      : ops.constant(tensorOf(scores.dtype!, [positiveWeight.length], positiveWeight));
  // (1 - t) x + (1 + (w - 1) t) softplus(-x)
  const factor = ops.add(ops.mul(target, typeof weight === "number" ? weight - 1 : ops.sub(weight, 1)), 1);
  const positive = ops.mul(factor, ops.softplus(ops.neg(scores)));
  return reduce(ops, ops.add(ops.mul(ops.sub(1, target), scores), positive), reduction);
}
