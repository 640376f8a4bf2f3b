/** Learning rates that fall when the weights have come far enough. */
import type { Optimizer } from "../build/index.ts";
import { OptionError } from "../errors.ts";
import { elementCount } from "../tensor/index.ts";
import { commonNorm } from "./norm.ts";

/** When a learning rate falls. */
export interface FallByDistanceOptions {
  /** Euclidean distances of all trained parameters from their start, each larger than the one before. */
  readonly thresholds: readonly number[];
  /** What the learning rate is multiplied by at each. Default 0.1. */
  readonly factor?: number;
}

/**
 * Multiplies the learning rate by a factor when the weights' distance from their start, ||w_t - w_0||, reaches each threshold: the
 * distance travelled is the clock in place of epochs. It does not rise again when the weights come back.
 *
 * The distance is computed inside the step, because a schedule is fed from outside and sees no weights: it costs a copy of the
 * parameters and a pass over them. Steps get the metrics `distance` (before the step) and `learningRateFactor`; what events call
 * the learning rate is the one before that factor. Slots: `start`, and `furthest` with one parameter.
 *
 * @throws OptionError if thresholds are none, not positive or do not increase, or the factor is not positive.
 * @see Hoffer, Hubara, Soudry 2017, "Train longer, generalize better", arXiv:1705.08741, sections 3 and 6
 * @example
 * const optimizer = optim.fallByDistance(optim.sgd({ learningRate: 0.1, momentum: 0.9 }), { thresholds: [10, 14] });
 */
export function fallByDistance(optimizer: Optimizer, { thresholds, factor = 0.1 }: FallByDistanceOptions): Optimizer {
  if (thresholds.length === 0 || !thresholds.every((one, i) => one > (thresholds[i - 1] ?? 0))) {
    throw new OptionError(
      `fallByDistance: thresholds must be positive numbers that increase, got [${thresholds.join(", ")}].`,
    );
  }
  if (!(factor > 0)) throw new OptionError(`fallByDistance: factor must be positive, got ${factor}.`);
  return {
    ...optimizer,
    apply(context) {
      const { ops, parameters, learningRate } = context;
      if (parameters.length === 0) return optimizer.apply(context);
      const isFirst = ops.equal(context.step, 0);
      const differences = parameters.map((parameter) => {
        const start = ops.where(isFirst, parameter.value, context.slot(parameter, "start"));
        context.updateSlot(parameter, "start", start);
        return ops.sub(parameter.value, start);
      });
      const distance = commonNorm(ops, differences);
      // Slots have a parameter's shape: the smallest one keeps this one number in all its places.
      const smallest = parameters.reduce((least, one) =>
        elementCount(one.shape) < elementCount(least.shape) ? one : least,
      );
      const furthest = ops.max(context.slot(smallest, "furthest"), distance);
      context.updateSlot(smallest, "furthest", furthest);
      const reached = ops.reduceMax(furthest, { keepDims: false });
      const falls = thresholds.map((threshold) =>
        ops.where(
          ops.greaterOrEqual(reached, threshold),
          ops.full([], factor, learningRate.dtype),
          ops.full([], 1, learningRate.dtype),
        ),
      );
      const fallen = falls.reduce((x, y) => ops.mul(x, y));
      context.metric("distance", distance);
      context.metric("learningRateFactor", fallen);
      optimizer.apply({ ...context, learningRate: ops.mul(learningRate, fallen) });
    },
  };
}
