/** Adagrad. */
import type { Optimizer, OptimizerContext } from "../build/index.ts";
import { assertRange, groupedGradients, type OptimizerOptions, trainedBy } from "./parameter-groups.ts";
import { coupledDecay } from "./weight-decay.ts";

/** How Adagrad is made. */
export interface AdagradOptions extends OptimizerOptions {
  /** The learning rate of step t = 0, 1, ... is divided by 1 + t learningRateDecay. Default 0. */
  readonly learningRateDecay?: number;
  /** Added to the root of the sum. Default 1e-10. */
  readonly epsilon?: number;
  /** What sums of squares start with. Default 0. */
  readonly start?: number;
  /** Default 0. */
  readonly weightDecay?: number;
}

/**
 * w' = w - learningRate g / (sqrt(s') + epsilon), s' = s + g^2: torch.optim.Adagrad.
 *
 * g is the gradient plus weightDecay w. Slots: `squareSum`.
 *
 * @throws OptionError if a number is out of range.
 * @see Duchi, Hazan, Singer 2011, "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization"
 * @example
 * const optimizer = optim.adagrad({ learningRate: 0.01 });
 */
export function adagrad(options: AdagradOptions): Optimizer {
  const { learningRate, learningRateDecay = 0, epsilon = 1e-10, start = 0, weightDecay = 0, groups } = options;
  assertRange("adagrad", "learningRateDecay", learningRateDecay);
  assertRange("adagrad", "epsilon", epsilon);
  assertRange("adagrad", "start", start);
  assertRange("adagrad", "weightDecay", weightDecay);
  return { learningRate, ...trainedBy(groups), apply: (context) => apply(context, options) };
}

function apply(context: OptimizerContext, options: AdagradOptions): void {
  const { learningRateDecay = 0, epsilon = 1e-10, start = 0, weightDecay = 0, groups } = options;
  const { ops } = context;
  const slowdown = learningRateDecay === 0 ? undefined : ops.add(ops.mul(context.step, learningRateDecay), 1);
  for (const one of groupedGradients(context, weightDecay, groups)) {
    const { parameter } = one;
    const gradient = coupledDecay(ops, one);
    const sum = ops.add(context.slot(parameter, "squareSum", start), ops.square(gradient));
    context.updateSlot(parameter, "squareSum", sum);
    const rate = slowdown ? ops.div(one.learningRate, slowdown) : one.learningRate;
    const direction = ops.div(gradient, ops.add(ops.sqrt(sum), epsilon));
    context.update(parameter, ops.sub(parameter.value, ops.mul(direction, rate)));
  }
}
