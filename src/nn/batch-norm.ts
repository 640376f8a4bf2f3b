/** Batch normalization. */
import type { GradientContext, GradientRule, Layer, Ops, Scope } from "../build/index.ts";
import { ShapeError } from "../errors.ts";
import type { Value } from "../program/index.ts";
import { elementCount } from "../tensor/index.ts";
import { assertLeastRank, knownLength, layerLabel, shownShape } from "./check-input.ts";
import { ones, zeros } from "./initializers.ts";

/** How a batch norm is made. */
export interface BatchNormOptions {
  /** Share of the new batch in the running statistics. Default 0.1. ONNX's `momentum` is the share of the old ones. */
  readonly momentum?: number;
  /** Added to the variance. Default 1e-5. */
  readonly epsilon?: number;
  /** Whether the result is scaled and shifted by parameters. Default true. */
  readonly affine?: boolean;
}

/**
 * Normalizes each channel over batch and places, then scales and shifts it.
 *
 *   y = (x - mean) / sqrt(variance + epsilon) * weight + bias
 *
 * While training, mean and variance are those of the batch; the variance that normalizes is divided by n, the one that is kept
 * by n - 1. Otherwise they are the running ones.
 *
 * Shapes: x [batch, channels, ...spatial] -> y as x; `weight`, `bias`, `runningMean`, `runningVariance` [channels]:
 * torch.nn.BatchNorm1d to 3d.
 *
 * @throws ShapeError when built, if x has fewer than two axes, or while training a single number per channel.
 * @see Ioffe, Szegedy 2015, "Batch Normalization", arXiv:1502.03167
 * @example
 * nn.sequential([nn.conv({ channels: 16, kernel: 3, bias: false }), nn.batchNorm(), nn.relu()]);
 */
export function batchNorm({ momentum = 0.1, epsilon = 1e-5, affine = true }: BatchNormOptions = {}): Layer {
  return (x, scope) => {
    const { ops } = scope;
    const label = layerLabel("batchNorm", scope);
    assertLeastRank(x, 2, "[batch, channels, ...spatial]", label);
    const channels = [knownLength(x, 1, "channels", label)];
    const weight = affine ? scope.parameter("weight", channels, ones()) : ops.full(channels, 1, x.dtype);
    const bias = affine ? scope.parameter("bias", channels, zeros()) : ops.full(channels, 0, x.dtype);
    const runningMean = scope.statistic("runningMean", channels, zeros());
    const runningVariance = scope.statistic("runningVariance", channels, ones());
    if (!scope.training) {
      const inputs = [x, weight, bias, runningMean, runningVariance];
      return ops.emit("BatchNormalization", inputs, { epsilon: { float: epsilon } });
    }
    const count = elementCount(ops.shapeOf(x)) / channels[0]!;
    if (count < 2) {
      throw new ShapeError(
        `${label}: a batch must have more than one number per channel, got ${shownShape(x)}. ` +
          "Take larger batches, or another normalization.",
      );
    }
    const { y, mean, variance } = normalizeBatch(ops, x, weight, bias, epsilon);
    keep(scope, "runningMean", runningMean, mean, momentum);
    keep(scope, "runningVariance", runningVariance, ops.mul(variance, count / (count - 1)), momentum);
    return y;
  };
}

/** running (1 - momentum) + batch momentum */
function keep(scope: Scope, name: string, running: Value, batch: Value, momentum: number): void {
  const { ops } = scope;
  scope.update(name, ops.add(ops.mul(running, 1 - momentum), ops.mul(batch, momentum)));
}

/** What batch normalization makes of a batch; mean and variance (divided by n) have shape [channels]. */
interface NormalizedBatch {
  readonly y: Value;
  readonly mean: Value;
  readonly variance: Value;
}

/** Normalizes by the batch's own statistics: one operator, so that each device can compute it in its own way. */
function normalizeBatch(ops: Ops, x: Value, weight: Value, bias: Value, epsilon: number): NormalizedBatch {
  const zero = ops.full(ops.shapeOf(weight), 0, x.dtype);
  const attributes = { training_mode: 1, momentum: { float: 0 }, epsilon: { float: epsilon } };
  const results = ops.emitAll("BatchNormalization", [x, weight, bias, zero, zero], 3, attributes);
  const [y, mean, variance] = ops.customGradient([x, weight, bias], results, (context) => backward(context, epsilon));
  return { y: y!, mean: mean!, variance: variance! };
}

/**
 * dx = a (dy + b x + c) with one a = weight / sigma, b = -mean(dy xhat) / sigma and c = -mean(dy) - b mean per channel, which is
 * weight / sigma (dy - mean(dy) - xhat mean(dy xhat)), xhat = (x - mean) / sigma: two sums and three more passes over memory, of
 * which the last, a product, can move into the weights of the convolution before. Mean and variance are results too, whose
 * gradients (of second derivatives) are two more terms.
 */
function backward(context: GradientContext, epsilon: number): ReturnType<GradientRule> {
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
  const inner = ops.add(dy, affine(ops, x, slope, offset));
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
  return affine(ops, x, slope, ops.sub(share, ops.mul(slope, node.output(1))));
}

/** x scale + offset with one number per channel: one pass where Mul and Add would take two. */
function affine(ops: Ops, x: Value, scale: Value, offset: Value): Value {
  const channels = ops.shapeOf(scale);
  const [zero, one] = [ops.full(channels, 0, x.dtype), ops.full(channels, 1, x.dtype)];
  return ops.emit("BatchNormalization", [x, scale, offset, zero, one], { epsilon: { float: 0 } });
}
