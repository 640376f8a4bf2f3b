/** Adam and AdamW. */
import type { Ops, Optimizer, OptimizerContext } from "../build/index.ts";
import type { Value } from "../program/index.ts";
import { assertRange, groupedGradients, type OptimizerOptions, trainedBy } from "./parameter-groups.ts";
import { coupledDecay, decoupledDecay } from "./weight-decay.ts";

/** How Adam is made. */
export interface AdamOptions extends OptimizerOptions {
  /** Shares of the first and second moments that are kept. Default [0.9, 0.999]. */
  readonly betas?: readonly [number, number];
  /** Added to the root of the second moment. Default 1e-8. */
  readonly epsilon?: number;
  /** Default 0; for adamW 0.01. */
  readonly weightDecay?: number;
  /** Whether to divide by the largest second moment so far. Default false. */
  readonly amsgrad?: boolean;
}

/**
 * w' = w - learningRate m^ / (sqrt(v^) + epsilon), with moments m' = b1 m + (1 - b1) g, v' = b2 v + (1 - b2) g^2, and m^ =
 * m' / (1 - b1^t), v^ = v' / (1 - b2^t) in step t = 1, 2, ...: torch.optim.Adam.
 *
 * g is the gradient plus weightDecay w. Slots: `firstMoment`, `secondMoment`, and `largestSecondMoment` for AMSGrad.
 *
 * @throws OptionError if a number is out of range.
 * @see Kingma, Ba 2014, "Adam", arXiv:1412.6980; Reddi, Kale, Kumar 2018, "On the Convergence of Adam and Beyond"
 * @example
 * const optimizer = optim.adam({ learningRate: 1e-3 });
 */
export function adam(options: AdamOptions): Optimizer {
  return adamLike("adam", options, false);
}

/**
 * Adam whose weight decay is beside the gradient: w (1 - learningRate weightDecay) first: torch.optim.AdamW.
 *
 * @throws OptionError if a number is out of range.
 * @see Loshchilov, Hutter 2017, "Decoupled Weight Decay Regularization", arXiv:1711.05101
 * @example
 * const optimizer = optim.adamW({ learningRate: 1e-3, weightDecay: 0.05 });
 */
export function adamW(options: AdamOptions): Optimizer {
  return adamLike("adamW", { weightDecay: 0.01, ...options }, true);
}

function adamLike(name: string, options: AdamOptions, decoupled: boolean): Optimizer {
  const { learningRate, betas = [0.9, 0.999], epsilon = 1e-8, weightDecay = 0, groups } = options;
  betas.forEach((beta, index) => {
    assertRange(name, `betas[${index}]`, beta, 1);
  });
  assertRange(name, "epsilon", epsilon);
  assertRange(name, "weightDecay", weightDecay);
  return { learningRate, ...trainedBy(groups), apply: (context) => apply(context, options, decoupled) };
}

function apply(context: OptimizerContext, options: AdamOptions, decoupled: boolean): void {
  const { betas = [0.9, 0.999], epsilon = 1e-8, weightDecay = 0, amsgrad = false, groups } = options;
  const [beta1, beta2] = betas;
  const { ops } = context;
  const steps = ops.add(context.step, 1);
  // learningRate m^ / (sqrt(v^) + epsilon) = (learningRate r / c) m' / (sqrt(v') + epsilon r), c = 1 - b1^t, r = sqrt(1 - b2^t):
  // corrections of scalars instead of whole moments.
  const root = ops.sqrt(oneMinusPower(ops, beta2, steps));
  const correction = ops.div(root, oneMinusPower(ops, beta1, steps));
  const floor = ops.mul(root, epsilon);
  for (const one of groupedGradients(context, weightDecay, groups)) {
    const { parameter } = one;
    const gradient = decoupled ? one.gradient : coupledDecay(ops, one);
    const first = average(ops, context.slot(parameter, "firstMoment"), gradient, beta1);
    const second = average(ops, context.slot(parameter, "secondMoment"), ops.square(gradient), beta2);
    context.updateSlot(parameter, "firstMoment", first);
    context.updateSlot(parameter, "secondMoment", second);
    const scale = amsgrad ? ops.max(context.slot(parameter, "largestSecondMoment"), second) : second;
    if (amsgrad) context.updateSlot(parameter, "largestSecondMoment", scale);
    const change = ops.div(first, ops.add(ops.sqrt(scale), floor));
    const start = decoupled ? decoupledDecay(ops, one) : parameter.value;
    context.update(parameter, ops.sub(start, ops.mul(change, ops.mul(one.learningRate, correction))));
  }
}

/** beta old + (1 - beta) next, as old + (1 - beta) (next - old). */
function average(ops: Ops, old: Value, next: Value, beta: number): Value {
  return ops.add(old, ops.mul(ops.sub(next, old), 1 - beta));
}

/**
 * 1 - beta^t without the loss of digits that 1 - pow(beta, t) suffers in float32, where 0.999 is 1 but for three of seven: with
 * u = tanh(-t log(beta) / 2) it is 2 u / (1 + u).
 */
function oneMinusPower(ops: Ops, beta: number, t: Value): Value {
  if (beta === 0) return ops.scalar(1, t.dtype);
  const u = ops.tanh(ops.mul(t, -Math.log(beta) / 2));
  return ops.div(ops.mul(u, 2), ops.add(u, 1));
}
