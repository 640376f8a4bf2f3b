/** Multiplicative noise: a large batch with a small one's gradient noise. */
import type { Scope } from "../build/index.ts";
import { OptionError } from "../errors.ts";
import type { Value } from "../program/index.ts";
import { lossWriter } from "./loss.ts";

/** How much noise there is. */
export interface NoisyMeanOptions {
  /** s^2, at least 0. B_L / B_S - 1 gives a batch of B_L the gradient covariance of one of B_S. */
  readonly variance: number;
}

/**
 * (1/M) sum_n z_n l_n with z_n ~ N(1, s^2), drawn anew for each sample in each step: the mean of the losses in training with
 * multiplicative noise. The gradient, (1/M) sum_n z_n g_n, has the same mean as without, and a covariance that is larger by
 * (s^2 / M) E[g g^T].
 *
 * With s^2 = B_L / B_S - 1 a batch of M = B_L samples has the covariance of one of B_S (E[g g^T] / S times the difference too
 * large where the mean gradient is not small). Outside training it is the mean.
 *
 * Shapes: losses [batch, ...places] -> scalar; all places of a sample share its z_n.
 *
 * @throws OptionError if the variance is negative.
 * @see Hoffer, Hubara, Soudry 2017, "Train longer, generalize better", arXiv:1705.08741, section 4.1
 * @example
 * const losses = nn.crossEntropy(scores, label, scope, { reduction: "none" });
 * const loss = nn.noisyMean(losses, scope, { variance: 4096 / 128 - 1 });
 */
export function noisyMean(losses: Value, scope: Scope, { variance }: NoisyMeanOptions): Value {
  if (!(variance >= 0)) throw new OptionError(`noisyMean: variance must be at least 0, got ${variance}.`);
  const ops = lossWriter(scope, "noisyMean");
  const [batch, ...places] = ops.shapeOf(losses);
  const axes = places.map((_, axis) => axis + 1);
  const ofSamples = axes.length === 0 ? losses : ops.reduceMean(losses, { axes, keepDims: false });
  if (!scope.training || variance === 0) return ops.reduceMean(ofSamples, { keepDims: false });
  const normal = ops.cast(scope.random.normal([batch!]), losses.dtype!);
  const z = ops.add(1, ops.mul(normal, Math.sqrt(variance)));
  return ops.reduceMean(ops.mul(ofSamples, z), { keepDims: false });
}
