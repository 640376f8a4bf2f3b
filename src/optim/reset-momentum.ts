/** Optimizers that forget what they have gathered. */
import type { Optimizer } from "../build/index.ts";
import { OptionError } from "../errors.ts";

/** How often an optimizer forgets. */
export interface ResetMomentumOptions {
  /** Steps between two beginnings, such as those of an epoch. */
  readonly everySteps: number;
}

/**
 * Returns the optimizer as if it were made anew every so many steps: momentum and other slots have their first values again, and
 * corrections for the first steps count from there.
 *
 * Nobody should want this: it is what the published code of arXiv:1705.08741 does at each epoch without saying so, and it costs
 * the large batch accuracy, which has few steps in an epoch. Here it reproduces those runs.
 *
 * @throws OptionError if `everySteps` is not a positive whole number.
 * @example
 * const optimizer = optim.resetMomentum(optim.sgd({ learningRate: 0.1, momentum: 0.9 }), { everySteps: 13 });
 */
export function resetMomentum(optimizer: Optimizer, { everySteps }: ResetMomentumOptions): Optimizer {
  if (!Number.isInteger(everySteps) || everySteps < 1) {
    throw new OptionError(`resetMomentum: everySteps must be a whole number of at least 1, got ${everySteps}.`);
  }
  return {
    ...optimizer,
    apply(context) {
      const { ops } = context;
      // With fmod the remainder is exact in floating point.
      const step = ops.emit("Mod", [context.step, ops.full([], everySteps, context.step.dtype)], { fmod: 1 });
      const isFirst = ops.equal(step, 0);
      optimizer.apply({
        ...context,
        step,
        slot: (parameter, name, initial = 0) => {
          const kept = context.slot(parameter, name, initial);
          return ops.where(isFirst, ops.full([], initial, kept.dtype), kept);
        },
      });
    },
  };
}
