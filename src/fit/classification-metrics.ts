/** What is counted on a batch of classified samples, in sums that add up over batches. */
import type { Scope } from "../build/index.ts";
import { ShapeError } from "../errors.ts";
import { crossEntropy } from "../nn/index.ts";
import type { Value } from "../program/index.ts";

/** Most classes that are told apart in a confusion matrix. */
const MOST_CONFUSED = 100;

/** Decisions that count as right in `right5`. */
const BEST = 5;

/** Sums over the decisions of a batch, each times its weight; all scalars but `confusion`. */
export interface ClassificationMetrics {
  /** Sum of -log softmax(logits) at the label, without smoothing. */
  readonly loss: Value;
  /** Decisions that are right. */
  readonly right: Value;
  /** Decisions with the label among the five largest logits; absent below six classes. */
  readonly right5?: Value;
  /** [classes, classes], row: label, column: decision; absent above 100 classes. */
  readonly confusion?: Value;
  /** Sum of the weights: the number of decisions, where weights are 1 and 0. */
  readonly weight: Value;
  readonly [name: string]: Value;
}

/**
 * Writes the sums that loss and accuracy are made of: outputs of the `evaluation` of a classifier.
 *
 * Shapes: logits [batch, classes], label [batch], weight [batch]; or logits [batch, length, vocabulary], label [batch, length],
 * weight [batch] or [batch, length]. Label int64 or int32; weight float32, 1 for samples that count and 0 for padding.
 *
 * @throws ShapeError, DTypeError if the three do not fit together.
 * @example
 * const measured = evaluation({
 *   inputs: { x: { shape: [256, 784] }, label: { shape: [256], dtype: "int64" }, weight: { shape: [256] } },
 *   outputs: ({ x, label, weight }, scope) => classificationMetrics(model(x!, scope), label!, weight!, scope),
 * });
 */
export function classificationMetrics(logits: Value, label: Value, weight: Value, scope: Scope): ClassificationMetrics {
  const { ops } = scope.child("metrics");
  const shape = ops.shapeOf(logits);
  const [places, classes] = [shape.slice(0, -1), shape.at(-1)!];
  const dtype = logits.dtype!;
  const weights = ops.reshape(ops.cast(spread(ops, weight, places), dtype), [-1]);
  assertPlaces("label", ops.shapeOf(label), places);
  const scores = ops.reshape(logits, [-1, classes]);
  const wide = ops.reshape(ops.cast(label, "int64"), [-1]);
  const sum = (values: Value): Value => ops.reduceSum(ops.mul(values, weights), { keepDims: false });
  const decision = ops.argMax(scores, 1);
  const losses = crossEntropy(scores, wide, scope.child("metrics"), { reduction: "none" });
  const hits = (): Value => ops.equal(ops.topK(scores, BEST, 1).indices, ops.unsqueeze(wide, [1]));
  const oneHot = (indices: Value): Value => ops.oneHot(indices, classes, { dtype });
  return {
    loss: sum(losses),
    right: sum(ops.cast(ops.equal(decision, wide), dtype)),
    ...(classes > BEST && { right5: sum(ops.reduceSum(ops.cast(hits(), dtype), { axes: [1], keepDims: false })) }),
    ...(classes <= MOST_CONFUSED && {
      confusion: ops.matMul(ops.transposeLast(ops.mul(oneHot(wide), ops.unsqueeze(weights, [1]))), oneHot(decision)),
    }),
    weight: ops.reduceSum(weights, { keepDims: false }),
  };
}

/** One weight for each decision. */
function spread(ops: Scope["ops"], weight: Value, places: readonly number[]): Value {
  const shape = ops.shapeOf(weight);
  if (places.length === 2 && shape.length === 1 && shape[0] === places[0]) {
    return ops.expand(ops.unsqueeze(weight, [1]), places);
  }
  assertPlaces("weight", shape, places);
  return weight;
}

/** @throws ShapeError unless there is one for each decision. */
function assertPlaces(name: string, shape: readonly number[], places: readonly number[]): void {
  if (shape.join() === places.join()) return;
  throw new ShapeError(
    `classificationMetrics: ${name} must be shaped as the logits without their last axis, [${places.join(", ")}], ` +
      `got [${shape.join(", ")}].`,
  );
}
