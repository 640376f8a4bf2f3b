/** What classifiers are judged by. */
import type { Scope } from "../build/index.ts";
import { OptionError } from "../errors.ts";
import type { Value } from "../program/index.ts";
import { assertLabels, classesOf } from "./labels.ts";
import { lossLabel, lossWriter } from "./loss.ts";

/** How accuracy is counted. */
export interface AccuracyOptions {
  /** How many of the largest scores the label may be among. Default 1. */
  readonly k?: number;
}

/**
 * Share of the examples whose label has the largest score, or one of the k largest.
 *
 * Shapes: scores [batch, classes, ...places], labels [batch, ...places], int64 -> scalar of the scores' element type, in [0, 1].
 *
 * @throws ShapeError, DTypeError if the two do not fit together.
 * @throws OptionError if there are fewer than k classes.
 * @example
 * const loss: LossFunction = ({ x, label }, scope) => {
 *   const scores = model(x!, scope);
 *   return { loss: nn.crossEntropy(scores, label!, scope), accuracy: nn.accuracy(scores, label!, scope) };
 * };
 */
export function accuracy(scores: Value, labels: Value, scope: Scope, { k = 1 }: AccuracyOptions = {}): Value {
  const label = lossLabel(scope, "accuracy");
  const ops = lossWriter(scope, "accuracy");
  const classes = classesOf(scores, label);
  assertLabels(scores, labels, label);
  if (!Number.isInteger(k) || k < 1 || k > classes) {
    throw new OptionError(`${label}: k must be a whole number from 1 to the number of classes, ${classes}, got ${k}.`);
  }
  const wide = ops.cast(labels, "int64");
  const hits =
    k === 1
      ? ops.equal(ops.argMax(scores, 1), wide)
      : ops.equal(ops.topK(scores, k, 1).indices, ops.unsqueeze(wide, [1]));
  const counts = ops.cast(hits, scores.dtype!);
  return ops.reduceMean(k === 1 ? counts : ops.reduceSum(counts, { axes: [1] }), { keepDims: false });
}

/**
 * Counts how often each class (row) was predicted as each class (column).
 *
 * Shapes: scores [batch, classes, ...places], labels [batch, ...places], int64 -> [classes, classes] of the scores' element
 * type, whole numbers.
 *
 * @throws ShapeError, DTypeError if the two do not fit together.
 * @example
 * const counts = nn.confusionMatrix(scores, label, scope);
 */
export function confusionMatrix(scores: Value, labels: Value, scope: Scope): Value {
  const label = lossLabel(scope, "confusionMatrix");
  const ops = lossWriter(scope, "confusionMatrix");
  const classes = classesOf(scores, label);
  assertLabels(scores, labels, label);
  const oneHot = (indices: Value) => ops.oneHot(ops.reshape(indices, [-1]), classes, { dtype: scores.dtype! });
  const rows = oneHot(ops.cast(labels, "int64"));
  return ops.matMul(ops.transposeLast(rows), oneHot(ops.argMax(scores, 1)));
}
