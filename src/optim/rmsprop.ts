/** RMSprop. */
import type { Optimizer, OptimizerContext } from "../build/index.ts";
import { assertRange, groupedGradients, type OptimizerOptions, trainedBy } from "./parameter-groups.ts";
import { coupledDecay } from "./weight-decay.ts";

/** How RMSprop is made. */
export interface RmspropOptions extends OptimizerOptions {
  /** Share of the squares' average that is kept. Default 0.99. */
  readonly decay?: number;
  /** Added to the root of the average. Default 1e-8. */
  readonly epsilon?: number;
  /** Share of the last step that is kept. Default 0. */
  readonly momentum?: number;
  /** Whether to divide by the gradient's deviation instead of its size. Default false. */
  readonly centered?: boolean;
  /** Default 0. */
  readonly weightDecay?: number;
}

/**
 * w' = w - learningRate g / (sqrt(s') + epsilon), s' = decay s + (1 - decay) g^2: torch.optim.RMSprop.
 *
 * g is the gradient plus weightDecay w. Centered: s' minus the square of the gradient's average. With momentum, w' = w -
 * learningRate v', v' = momentum v + g / (sqrt(s') + epsilon). Slots: `squareAverage`, `gradientAverage`, `momentum`, as needed.
 *
 * @throws OptionError if a number is out of range.
 * @see Tieleman, Hinton 2012, "Lecture 6.5 - rmsprop"; Graves 2013, arXiv:1308.0850, for centered
 * @example
 * const optimizer = optim.rmsprop({ learningRate: 1e-3 });
 */
export function rmsprop(options: RmspropOptions): Optimizer {
  const { learningRate, decay = 0.99, epsilon = 1e-8, momentum = 0, weightDecay = 0, groups } = options;
  assertRange("rmsprop", "decay", decay);
  assertRange("rmsprop", "epsilon", epsilon);
  assertRange("rmsprop", "momentum", momentum);
  assertRange("rmsprop", "weightDecay", weightDecay);
  return { learningRate, ...trainedBy(groups), apply: (context) => apply(context, options) };
}

function apply(context: OptimizerContext, options: RmspropOptions): void {
  const { decay = 0.99, epsilon = 1e-8, momentum = 0, centered = false, weightDecay = 0, groups } = options;
  const { ops } = context;
  for (const one of groupedGradients(context, weightDecay, groups)) {
    const { parameter } = one;
    const gradient = coupledDecay(ops, one);
    const average = (slot: string, next: typeof gradient) => {
      const mixed = ops.add(ops.mul(context.slot(parameter, slot), decay), ops.mul(next, 1 - decay));
      context.updateSlot(parameter, slot, mixed);
      return mixed;
    };
    const squares = average("squareAverage", ops.square(gradient));
    const variance = centered ? ops.sub(squares, ops.square(average("gradientAverage", gradient))) : squares;
    let direction = ops.div(gradient, ops.add(ops.sqrt(variance), epsilon));
    if (momentum !== 0) {
      direction = ops.add(ops.mul(context.slot(parameter, "momentum"), momentum), direction);
      context.updateSlot(parameter, "momentum", direction);
    }
    context.update(parameter, ops.sub(parameter.value, ops.mul(direction, one.learningRate)));
  }
}
