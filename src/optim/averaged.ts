/** The exponential moving average of the weights, kept beside them. */
import type { Optimizer, Variable } from "../build/index.ts";
import { OptionError } from "../errors.ts";
import type { Value } from "../program/index.ts";
import { isFloat, type Tensor } from "../tensor/index.ts";
import { assertRange } from "./parameter-groups.ts";

/** How weights are averaged. */
export interface AveragedOptions {
  /** Share of the average that is kept in each step, at least 0 and below 1: 0.999 averages over some 1000 steps. */
  readonly decay: number;
}

const SLOT = "average";

/** Where a step keeps the averages: the path of a slot is `optimizer.<slot>.<path of the variable>`. */
const PREFIX = `optimizer.${SLOT}.`;

/**
 * Returns the optimizer with a moving average of all trained parameters: average' = decay average + (1 - decay) w', after each
 * step. Training itself is the same, bit for bit. `averagedVariables` puts the averages in the parameters' place.
 *
 * The average starts as the weights after the first step, as torch.optim.swa_utils.AveragedModel does, so that it needs no
 * correction for its start. Running statistics of layers (batch norms) are averaged the same way, because those of the last
 * step are those of other weights. Slot: `average`.
 *
 * @throws OptionError if decay is out of range.
 * @see Polyak, Juditsky 1992, "Acceleration of stochastic approximation by averaging"; Tarvainen, Valpola 2017,
 *   "Mean teachers are better role models", arXiv:1703.01780
 * @example
 * const optimizer = optim.averaged(optim.sgd({ learningRate: 0.1, momentum: 0.9 }), { decay: 0.999 });
 */
export function averaged(optimizer: Optimizer, { decay }: AveragedOptions): Optimizer {
  assertRange("averaged", "decay", decay, 1);
  return {
    ...optimizer,
    apply(context) {
      const { ops } = context;
      // 0 in the first step, when there is no average yet.
      const kept = ops.mul(ops.min(context.step, 1), decay);
      const keep = (variable: Variable, next: Value): void => {
        const difference = ops.sub(context.slot(variable, SLOT), next);
        context.updateSlot(variable, SLOT, ops.add(next, ops.mul(difference, ops.cast(kept, variable.dtype))));
      };
      optimizer.apply({
        ...context,
        update(parameter, next) {
          context.update(parameter, next);
          keep(parameter, next);
        },
      });
      for (const { variable, next } of context.statistics()) if (isFloat(variable.dtype)) keep(variable, next);
    },
  };
}

/**
 * Returns variables of a training with the averages in place of the parameters and statistics they are averages of; all others
 * are as they were. For evaluation and export, after the first step.
 *
 * @throws OptionError if there are no averages: the optimizer must be `averaged`.
 * @example
 * const variables = optim.averagedVariables(await training.variables()); // for exportOnnx
 */
export function averagedVariables(variables: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  const averages = Object.entries(variables).flatMap(([path, tensor]) =>
    path.startsWith(PREFIX) ? [[path.slice(PREFIX.length), tensor] as const] : [],
  );
  if (averages.length === 0) {
    throw new OptionError(
      `averagedVariables: variables must hold averages (${PREFIX}...), got none. Train with optim.averaged.`,
    );
  }
  return { ...variables, ...Object.fromEntries(averages) };
}
