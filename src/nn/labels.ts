/** Class labels as targets: where a label's score is, and what each example counts. */
import type { Ops } from "../build/index.ts";
import { DTypeError, OptionError, ShapeError } from "../errors.ts";
import type { Value } from "../program/index.ts";
import { tensorOf } from "../tensor/index.ts";
import { assertLeastRank, knownLength, shownShape } from "./check-input.ts";
import { type LossOptions, type Reduction, reduce } from "./loss.ts";

/** How losses of labels are made. */
export interface LabelLossOptions extends LossOptions {
  /** What each class counts. The mean is then divided by the sum of the labels' weights, as in PyTorch. Default: all 1. */
  readonly classWeights?: readonly number[];
  /** Label of examples that do not count; may be negative. Default: none (PyTorch's is -100). */
  readonly ignoreIndex?: number;
}

/** Labels in the form that losses use. All shapes are [batch, 1, ...places]. */
export interface LabelPlaces {
  /** The label, or 0 for examples that do not count. */
  readonly index: Value;
  /** 1, or 0 for examples that do not count; undefined where all do. */
  readonly kept: Value | undefined;
  /** What the example counts: its class's weight, or 0; undefined where all count 1. */
  readonly weight: Value | undefined;
}

/** Returns the number of classes. @throws ShapeError unless scores are shaped [batch, classes, ...places]. */
export function classesOf(scores: Value, label: string): number {
  assertLeastRank(scores, 2, "[batch, classes, ...places]", label);
  return knownLength(scores, 1, "classes", label);
}

/** @throws ShapeError, DTypeError unless labels are integers shaped as the scores without their classes. */
export function assertLabels(scores: Value, labels: Value, label: string): void {
  const expected = scores.shape!.filter((_, axis) => axis !== 1);
  if (labels.dtype !== "int64" && labels.dtype !== "int32") {
    throw new DTypeError(`${label}: labels must be int64 or int32, got ${labels.dtype}. Convert them with cast.`);
  }
  if (labels.shape?.join() !== expected.join()) {
    throw new ShapeError(
      `${label}: labels must be shaped as the scores ${shownShape(scores)} without their classes (axis 1), ` +
        `got ${shownShape(labels)}.`,
    );
  }
}

/** Returns labels in the form that losses use. @throws OptionError if there is not one weight per class. */
export function placeLabels(
  ops: Ops,
  scores: Value,
  labels: Value,
  options: LabelLossOptions,
  label: string,
): LabelPlaces {
  const { classWeights, ignoreIndex } = options;
  const classes = classesOf(scores, label);
  assertLabels(scores, labels, label);
  const dtype = scores.dtype!;
  const column = ops.unsqueeze(labels, [1]);
  const ignored = ignoreIndex === undefined ? undefined : ops.equal(column, ignoreIndex);
  const index = ignored ? ops.where(ignored, 0, column) : column;
  const kept = ignored && ops.sub(1, ops.cast(ignored, dtype));
  if (!classWeights) return { index, kept, weight: kept };
  if (classWeights.length !== classes) {
    throw new OptionError(
      `${label}: classWeights must have one number per class (${classes}), got ${classWeights.length}.`,
    );
  }
  const weight = ops.gather(ops.constant(tensorOf(dtype, [classes], classWeights)), index);
  return { index, kept, weight: kept ? ops.mul(weight, kept) : weight };
}

/** Reduces losses [batch, 1, ...places]; the mean is divided by the sum of the weights where there are some. */
export function reduceLabelLosses(ops: Ops, losses: Value, weight: Value | undefined, reduction?: Reduction): Value {
  if (reduction === "none") return ops.squeeze(losses, [1]);
  if (reduction === "sum" || !weight) return reduce(ops, losses, reduction);
  return ops.div(reduce(ops, losses, "sum"), reduce(ops, weight, "sum"));
}
