/** Stochastic gradient descent. */
import type { Optimizer, OptimizerContext } from "../build/index.ts";
import { OptionError } from "../errors.ts";
import { assertRange, groupedGradients, type OptimizerOptions, trainedBy } from "./parameter-groups.ts";
import { coupledDecay, decoupledDecay } from "./weight-decay.ts";

/** How SGD is made. */
export interface SgdOptions extends OptimizerOptions {
  /** Share of the last step's velocity that is kept. Default 0. */
  readonly momentum?: number;
  /** Share of the gradient that does not enter the velocity, except in the first step. Default 0. */
  readonly dampening?: number;
  /** Whether to step along the velocity of the next step. Default false. */
  readonly nesterov?: boolean;
  /** Default 0. */
  readonly weightDecay?: number;
  /** Whether weights decay beside the gradient and its velocity: w (1 - learningRate weightDecay). Default false. */
  readonly decoupled?: boolean;
}

/**
 * w' = w - learningRate v', v' = momentum v + (1 - dampening) g, with g + momentum v' in place of v' for Nesterov's: torch.optim.SGD.
 *
 * g is the gradient plus weightDecay w. In the first step v' = g. Slots: `momentum`, if there is any.
 *
 * @throws OptionError if a number is out of range, or Nesterov's has no momentum or some dampening.
 * @see Sutskever, Martens, Dahl, Hinton 2013, "On the importance of initialization and momentum in deep learning"
 * @example
 * const optimizer = optim.sgd({
 *   learningRate: optim.warmup(500, optim.cosine({ learningRate: 0.1, steps: 10_000 })),
 *   momentum: 0.9,
 *   weightDecay: 5e-4,
 *   groups: [{ match: (path) => path.endsWith(".bias"), weightDecay: 0 }],
 * });
 */
export function sgd(options: SgdOptions): Optimizer {
  const { learningRate, momentum = 0, dampening = 0, nesterov = false, weightDecay = 0, groups } = options;
  assertRange("sgd", "momentum", momentum);
  assertRange("sgd", "dampening", dampening);
  assertRange("sgd", "weightDecay", weightDecay);
  if (nesterov && (momentum === 0 || dampening !== 0)) {
    throw new OptionError(
      `sgd: nesterov must have momentum and no dampening, got momentum ${momentum} and dampening ${dampening}.`,
    );
  }
  return { learningRate, ...trainedBy(groups), apply: (context) => apply(context, options) };
}

function apply(context: OptimizerContext, options: SgdOptions): void {
  const { momentum = 0, dampening = 0, nesterov = false, weightDecay = 0, decoupled = false, groups } = options;
  const { ops } = context;
  // 1 in the first step, 1 - dampening after it.
  const share = dampening === 0 ? undefined : ops.sub(1, ops.mul(ops.min(context.step, 1), dampening));
  for (const one of groupedGradients(context, weightDecay, groups)) {
    const { parameter } = one;
    const gradient = decoupled ? one.gradient : coupledDecay(ops, one);
    let direction = gradient;
    if (momentum !== 0) {
      const kept = ops.mul(context.slot(parameter, "momentum"), momentum);
      const velocity = ops.add(kept, share ? ops.mul(gradient, share) : gradient);
      context.updateSlot(parameter, "momentum", velocity);
      direction = nesterov ? ops.add(gradient, ops.mul(velocity, momentum)) : velocity;
    }
    const start = decoupled ? decoupledDecay(ops, one) : parameter.value;
    context.update(parameter, ops.sub(start, ops.mul(direction, one.learningRate)));
  }
}
