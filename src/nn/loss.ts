/** What losses have in common. */
import type { Ops, Scope } from "../build/index.ts";
import { DTypeError, ShapeError } from "../errors.ts";
import type { Value } from "../program/index.ts";
import { shownShape } from "./check-input.ts";

/** How the losses of single elements or examples become one number: their mean (the default), their sum, or not at all. */
export type Reduction = "mean" | "sum" | "none";

/** The option that every loss has. */
export interface LossOptions {
  /** Default "mean". */
  readonly reduction?: Reduction;
}

/** Returns the mean or the sum of all elements, a scalar; or the elements as they are. */
export function reduce(ops: Ops, losses: Value, reduction: Reduction = "mean"): Value {
  if (reduction === "none") return losses;
  return reduction === "sum" ? ops.reduceSum(losses, { keepDims: false }) : ops.reduceMean(losses, { keepDims: false });
}

/** Returns the writer of a loss's nodes, which carry its name. */
export function lossWriter(scope: Scope, loss: string): Ops {
  return scope.child(loss).ops;
}

/** How messages call a loss: `huber`, or `huber (auxiliary)`. */
export function lossLabel(scope: Scope, loss: string): string {
  return scope.path ? `${loss} (${scope.path})` : loss;
}

/** @throws ShapeError, DTypeError unless the prediction and its target are shaped alike and of one element type. */
export function assertAlike(x: Value, target: Value, label: string): void {
  if (shownShape(x) !== shownShape(target)) {
    throw new ShapeError(
      `${label}: prediction and target must have one shape, got ${shownShape(x)} and ${shownShape(target)}. ` +
        "Shapes are not broadcast here: that would hide mistakes.",
    );
  }
  if (x.dtype !== target.dtype) {
    throw new DTypeError(
      `${label}: prediction and target must have one element type, got ${x.dtype} and ${target.dtype}. ` +
        "Convert the target with cast.",
    );
  }
}
