/** The loss of classifiers. */
import type { GradientRule, Ops, Scope } from "../build/index.ts";
import { OptionError, ShapeError } from "../errors.ts";
import type { Value } from "../program/index.ts";
import { isFloat, tensorOf } from "../tensor/index.ts";
import { shownShape } from "./check-input.ts";
import { classesOf, type LabelLossOptions, placeLabels, reduceLabelLosses } from "./labels.ts";
import { lossLabel, lossWriter, reduce } from "./loss.ts";

/** How cross-entropy is made. */
export interface CrossEntropyOptions extends LabelLossOptions {
  /** Share of the target that is spread evenly over all classes, in [0, 1]. Default 0. */
  readonly labelSmoothing?: number;
}

/**
 * -log softmax(scores) at the label, or its mean under target probabilities; the mean of that by default:
 * torch.nn.CrossEntropyLoss.
 *
 * Takes scores, not probabilities. With class weights the mean is divided by the sum of the labels' weights, but by the number
 * of examples if the target is probabilities, as in PyTorch.
 *
 * Shapes: scores [batch, classes, ...places]; target: labels [batch, ...places], int64 or int32 in [0, classes), or
 * probabilities as the scores -> scalar, or [batch, ...places] for reduction "none".
 *
 * @throws ShapeError, DTypeError if scores and target do not fit together.
 * @throws OptionError if an option is out of range, or does not go with probabilities.
 * @see Szegedy et al. 2015, "Rethinking the Inception Architecture", arXiv:1512.00567, for label smoothing
 * @example
 * const loss = nn.crossEntropy(scores, label, scope, { labelSmoothing: 0.1 });
 */
export function crossEntropy(scores: Value, target: Value, scope: Scope, options: CrossEntropyOptions = {}): Value {
  const { labelSmoothing = 0 } = options;
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw new OptionError(`crossEntropy: labelSmoothing must be in [0, 1], got ${labelSmoothing}.`);
  }
  const ops = lossWriter(scope, "crossEntropy");
  const label = lossLabel(scope, "crossEntropy");
  return isFloat(target.dtype)
    ? withProbabilities(ops, scores, target, options, label)
    : withLabels(ops, scores, target, options, label);
}

/** Softmax and log(sum of e^x), which its largest element gives: ONNX Runtime's Softmax is faster than exponentials and sums. */
function normalizedExponentials(ops: Ops, scores: Value): { probabilities: Value; logSum: Value } {
  const probabilities = ops.softmax(scores, 1);
  const most = ops.reduceMax(probabilities, { axes: [1] });
  return { probabilities, logSum: ops.sub(ops.reduceMax(scores, { axes: [1] }), ops.log(most)) };
}

/**
 * With s = labelSmoothing and w the weights of the classes, the target of label t is (1 - s) w_t at t plus (s / classes) w_c at
 * every class c; the gradient is (sum of the target) softmax - target: one pass, and one write per example.
 */
function withLabels(ops: Ops, scores: Value, target: Value, options: CrossEntropyOptions, label: string): Value {
  const { labelSmoothing = 0, classWeights, reduction } = options;
  const { index, kept, weight } = placeLabels(ops, scores, target, options, label);
  const classes = classesOf(scores, label);
  const { probabilities, logSum } = normalizedExponentials(ops, scores);
  const plain = ops.sub(logSum, ops.gatherElements(scores, index, 1));
  const onLabel = scaled(ops, weight, 1 - labelSmoothing);
  const everywhere = labelSmoothing === 0 ? undefined : spread(ops, scores, labelSmoothing, classes, classWeights);
  const times = (value: Value, factor: Factor) => (factor === 1 ? value : ops.mul(value, factor));
  const even = everywhere && ops.sub(ops.mul(logSum, everywhere.total), everywhere.sumOf(scores));
  const losses = even ? ops.add(times(plain, onLabel), times(even, kept ?? 1)) : times(plain, onLabel);

  const rule: GradientRule = ({ ops: writer, dy }) => {
    const product = (factor: Factor) => (factor === 1 ? dy : writer.mul(dy, factor));
    const atLabel = product(onLabel);
    const atAll = everywhere && product(kept ?? 1);
    const total = atAll ? writer.add(atLabel, writer.mul(atAll, everywhere.total)) : atLabel;
    const expected = writer.mul(probabilities, total);
    const rest = atAll ? writer.sub(expected, writer.mul(atAll, everywhere.weights)) : expected;
    return [writer.scatterAdd(rest, index, writer.neg(atLabel), 1)];
  };
  const [result] = ops.customGradient([scores], [losses], rule);
  return reduceLabelLosses(ops, result!, weight, reduction);
}

/** A number or a value to multiply by. */
type Factor = Value | number;

function scaled(ops: Ops, weight: Value | undefined, factor: number): Factor {
  if (!weight) return factor;
  return factor === 1 ? weight : ops.mul(weight, factor);
}

/** The part of the target that is the same for every label: smoothing / classes times the classes' weights. */
interface EvenTarget {
  /** Sum over the classes. */
  readonly total: number;
  /** One number, or one per class. */
  readonly weights: Factor;
  /** Returns the sum over the classes of weight times score. */
  sumOf(scores: Value): Value;
}

function spread(
  ops: Ops,
  scores: Value,
  smoothing: number,
  classes: number,
  classWeights: readonly number[] | undefined,
): EvenTarget {
  const share = smoothing / classes;
  if (!classWeights) {
    return {
      total: smoothing,
      weights: share,
      sumOf: (x) => ops.mul(ops.reduceSum(x, { axes: [1] }), share),
    };
  }
  const numbers = classWeights.map((weight) => weight * share);
  const weights = perClass(ops, scores, numbers);
  return {
    total: numbers.reduce((a, b) => a + b, 0),
    weights,
    sumOf: (x) => ops.reduceSum(ops.mul(x, weights), { axes: [1] }),
  };
}

/** One number per class as a constant that broadcasts to the scores. */
function perClass(ops: Ops, scores: Value, numbers: readonly number[]): Value {
  const shape = scores.shape!.slice(1).map((_, axis) => (axis === 0 ? numbers.length : 1));
  return ops.constant(tensorOf(scores.dtype!, shape, numbers));
}

function withProbabilities(ops: Ops, scores: Value, target: Value, options: CrossEntropyOptions, label: string): Value {
  const { labelSmoothing = 0, classWeights, ignoreIndex, reduction = "mean" } = options;
  const classes = classesOf(scores, label);
  assertProbabilities(scores, target, label);
  if (ignoreIndex !== undefined) {
    throw new OptionError(
      `${label}: ignoreIndex must be left out where the target is probabilities, got ${ignoreIndex}.`,
    );
  }
  if (classWeights && classWeights.length !== classes) {
    throw new OptionError(
      `${label}: classWeights must have one number per class (${classes}), got ${classWeights.length}.`,
    );
  }
  const smooth = labelSmoothing === 0 ? target : ops.add(ops.mul(target, 1 - labelSmoothing), labelSmoothing / classes);
  const weights = classWeights ? ops.mul(smooth, perClass(ops, scores, classWeights)) : smooth;
  const { probabilities, logSum } = normalizedExponentials(ops, scores);
  const total = ops.reduceSum(weights, { axes: [1] });
  const losses = ops.sub(ops.mul(total, logSum), ops.reduceSum(ops.mul(weights, scores), { axes: [1] }));
  const rule: GradientRule = (context) => {
    const { ops: writer, dy } = context;
    return [
      writer.mul(dy, writer.sub(writer.mul(probabilities, total), weights)),
      context.needs(1) ? writer.mul(dy, writer.sub(logSum, scores)) : undefined,
    ];
  };
  const [result] = ops.customGradient([scores, weights], [losses], rule);
  return reduction === "none" ? ops.squeeze(result!, [1]) : reduce(ops, result!, reduction);
}

function assertProbabilities(scores: Value, target: Value, label: string): void {
  if (shownShape(scores) === shownShape(target) && scores.dtype === target.dtype) return;
  throw new ShapeError(
    `${label}: target must be labels (int64) shaped as the scores without their classes, or probabilities shaped as the ` +
      `scores, ${scores.dtype} ${shownShape(scores)}, got ${target.dtype} ${shownShape(target)}.`,
  );
}
