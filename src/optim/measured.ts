/** Norms of gradients, weights and updates as metrics of the step. */
import type { Optimizer } from "../build/index.ts";
import type { Value } from "../program/index.ts";
import { commonNorm } from "./norm.ts";

/**
 * Returns the optimizer with three more metrics in every step, Euclidean norms over all trained parameters: `gradientNorm` of
 * the gradient as the inner optimizer gets it (before it is clipped there), `weightNorm` of the parameters before the step, and
 * `updateNorm` of what the step changes them by.
 *
 * They cost three passes over the parameters: nothing that can be measured where a step's work is large next to its parameters
 * (convolutions), a quarter of a step of a small fully connected network (784-256-10, batches of 128, two cores).
 *
 * @example
 * const optimizer = optim.measured(optim.clipByNorm(optim.sgd({ learningRate: 0.1 }), 1));
 */
export function measured(optimizer: Optimizer): Optimizer {
  return {
    ...optimizer,
    apply(context) {
      const { ops } = context;
      const changes: Value[] = [];
      optimizer.apply({
        ...context,
        gradients(weights) {
          const found = context.gradients(weights);
          if (!weights) {
            const gradients = found.map(({ gradient }) => gradient);
            if (gradients.length > 0) context.metric("gradientNorm", commonNorm(ops, gradients));
          }
          return found;
        },
        update(parameter, next) {
          changes.push(ops.sub(next, parameter.value));
          context.update(parameter, next);
        },
      });
      const values = context.parameters.map(({ value }) => value);
      if (values.length > 0) context.metric("weightNorm", commonNorm(ops, values));
      if (changes.length > 0) context.metric("updateNorm", commonNorm(ops, changes));
    },
  };
}
