/** Normalizing by the statistics of batches, with its gradient. */
import type { GradientContext, GradientRule, Ops } from "../build/index.ts";
import type { Value } from "../program/index.ts";
import { elementCount } from "../tensor/index.ts";
import type { Derivative, Deviation } from "./deviations/deviation.ts";
import { channelAffine, type GhostBatches } from "./ghost-batches.ts";

/** What batch normalization makes of a batch. */
export interface NormalizedBatch {
  readonly y: Value;
  /** [groups, channels] */
  readonly mean: Value;
  /** [groups, channels]: variance divided by n for `normalizeByVariance`, the deviation's statistic for `normalizeBatch`. */
  readonly statistic: Value;
}

/** How a deviation becomes a denominator. */
export interface DenominatorSettings {
  readonly deviation: Deviation;
  readonly c: number;
  readonly epsilon: number;
}

/**
 * y = (x - mean) / d weight + bias in each ghost batch.
 *
 * With u = (x - mean) / d and A = sum of dy u: dx_i = weight ((dy_i - mean dy) / d - A / d dd/dx_i). As mean and statistic are
 * results too, gradients with respect to them (of second derivatives) are two more terms.
 *
 * @see Norm matters, arXiv:1803.01814, section 3
 */
export function normalizeBatch(
  batches: GhostBatches,
  inputs: readonly [x: Value, weight: Value, bias: Value],
  settings: DenominatorSettings,
): NormalizedBatch {
  const { ops } = batches;
  const [input, weight, bias] = inputs;
  const { deviation, c, epsilon } = settings;
  const x = batches.view(input);
  const mean = batches.mean(x);
  const statistic = deviation.statistic({ batches, x, mean });
  const d = deviation.denominator(statistic, c, epsilon, batches);
  const y = batches.restore(batches.standardize(x, { deviation: d, scale: weight, mean, bias }));
  const rule: GradientRule = (context) => backward(context, batches.at(context.ops), settings);
  const results = ops.customGradient(inputs, [y, mean, statistic], rule);
  return { y: results[0]!, mean: results[1]!, statistic: results[2]! };
}

function backward(
  context: GradientContext,
  batches: GhostBatches,
  { deviation, c, epsilon }: DenominatorSettings,
): readonly (Value | undefined)[] {
  const { ops, node } = context;
  const [input, weight] = [node.input(0), node.input(1)];
  const [mean, statistic] = [node.output(1), node.output(2)];
  const x = batches.view(input);
  const dy = batches.view(context.gradient(0) ?? ops.full(batches.shape, 0, input.dtype));
  const d = deviation.denominator(statistic, c, epsilon, batches);

  const sum = batches.sum(dy);
  const along = ops.sub(batches.sum(ops.mul(dy, x)), ops.mul(mean, sum));
  const a = ops.div(along, d);
  const overGroups = (values: Value) => ops.reduceSum(values, { axes: [0], keepDims: false });
  const parameters = [overGroups(a), overGroups(sum)];
  if (!context.needs(0)) return [undefined, ...parameters];

  const derivative = deviation.derivative({ batches, x, mean });
  const slope = deviation.slope(d, c, batches);
  const part = { derivative, factor: ops.neg(ops.mul(a, slope)), shift: ops.mul(sum, -1 / batches.count) };
  const scaled = batches.standardize(addDerivative(batches, dy, part), { deviation: d, scale: weight });
  const [dMean, dStatistic] = [context.gradient(1), context.gradient(2)];
  if (!dMean && !dStatistic) return [batches.restore(scaled), ...parameters];
  const none = ops.full(ops.shapeOf(mean), 0, input.dtype);
  const shift = dMean ? ops.mul(dMean, 1 / batches.count) : none;
  return [
    batches.restore(addDerivative(batches, scaled, { derivative, factor: dStatistic ?? none, shift })),
    ...parameters,
  ];
}

interface DerivativePart {
  readonly derivative: Derivative;
  /** [groups, channels] */
  readonly factor: Value;
  /** [groups, channels] */
  readonly shift: Value;
}

/** base + factor dS/dx + shift */
function addDerivative(batches: GhostBatches, base: Value, { derivative, factor, shift }: DerivativePart): Value {
  const { ops, groups, channels } = batches;
  const { field, offset, peaks } = derivative;
  const constant = offset ? ops.add(shift, ops.mul(factor, offset)) : shift;
  if (field) return ops.add(base, batches.affine(field.values, ops.mul(factor, field.scale), constant));
  const raised = ops.add(base, batches.spread(constant));
  if (!peaks) return raised;
  const numbers = ops.mul(ops.reshape(factor, [groups, 1, channels]), peaks.weights);
  return batches.addAt(raised, peaks.places, numbers);
}

/** The same for L2 and the whole batch: one operator, so that each device can compute it in its own way. */
export function normalizeByVariance(
  ops: Ops,
  x: Value,
  { weight, bias, epsilon }: { readonly weight: Value; readonly bias: Value; readonly epsilon: number },
): NormalizedBatch {
  const zero = ops.full(ops.shapeOf(weight), 0, x.dtype);
  const attributes = { training_mode: 1, momentum: { float: 0 }, epsilon: { float: epsilon } };
  const results = ops.emitAll("BatchNormalization", [x, weight, bias, zero, zero], 3, attributes);
  const rule: GradientRule = (context) => varianceBackward(context, epsilon);
  const [y, mean, variance] = ops.customGradient([x, weight, bias], results, rule);
  const inGroup = (values: Value) => ops.reshape(values, [1, ...ops.shapeOf(weight)]);
  return { y: y!, mean: inGroup(mean!), statistic: inGroup(variance!) };
}

/**
 * dx = a (dy + b x + c) with one a = weight / sigma, b = -mean(dy xhat) / sigma and c = -mean(dy) - b mean per channel, which is
 * weight / sigma (dy - mean(dy) - xhat mean(dy xhat)), xhat = (x - mean) / sigma: two sums and three more passes over memory, of
 * which the last, a product, can move into the weights of the convolution before. Mean and variance are results too, whose
 * gradients (of second derivatives) are two more terms.
 */
function varianceBackward(context: GradientContext, epsilon: number): ReturnType<GradientRule> {
  const { ops, node } = context;
  const [x, weight] = [node.input(0), node.input(1)];
  const [mean, variance] = [node.output(1), node.output(2)];
  const dy = context.gradient(0) ?? ops.full(ops.shapeOf(x), 0, x.dtype);
  const count = elementCount(ops.shapeOf(x)) / ops.shapeOf(weight)[0]!;
  const axes = ops.shapeOf(x).flatMap((_, axis) => (axis === 1 ? [] : [axis]));
  const perChannel = (value: Value) => ops.reduceSum(value, { axes, keepDims: false });

  const inverse = ops.reciprocal(ops.sqrt(ops.add(variance, epsilon)));
  const sum = perChannel(dy);
  const centered = ops.sub(perChannel(ops.mul(dy, x)), ops.mul(mean, sum));
  const weightGradient = ops.mul(centered, inverse);
  if (!context.needs(0)) return [undefined, weightGradient, sum];

  const slope = ops.mul(ops.square(inverse), ops.mul(centered, -1 / count));
  const offset = ops.sub(ops.mul(sum, -1 / count), ops.mul(slope, mean));
  const inner = ops.add(dy, channelAffine(ops, x, slope, offset));
  const places = ops.shapeOf(x).slice(2);
  const scale = ops.reshape(ops.mul(weight, inverse), [-1, ...places.map(() => 1)]);
  const dx = ops.mul(inner, scale);
  const statistics = statisticsGradient(context, x, count);
  return [statistics ? ops.add(dx, statistics) : dx, weightGradient, sum];
}

/** Each of n elements gets 1 / n of the mean's gradient and 2 (x - mean) / n of the variance's. */
function statisticsGradient(context: GradientContext, x: Value, count: number): Value | undefined {
  const { ops, node } = context;
  const [meanGradient, varianceGradient] = [context.gradient(1), context.gradient(2)];
  if (!meanGradient && !varianceGradient) return undefined;
  const none = ops.full(ops.shapeOf(node.output(1)), 0, x.dtype);
  const slope = varianceGradient ? ops.mul(varianceGradient, 2 / count) : none;
  const share = meanGradient ? ops.mul(meanGradient, 1 / count) : none;
  return channelAffine(ops, x, slope, ops.sub(share, ops.mul(slope, node.output(1))));
}
