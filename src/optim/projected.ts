/** Weights whose channels are put back to a length after each step. */
import type { Optimizer } from "../build/index.ts";
import { OptionError } from "../errors.ts";
import { assertChannels, rescaledChannels } from "./channel-norms.ts";

/** Which weights are projected, and to what length. */
export interface ProjectedOptions {
  /** Whether the parameter at this path is projected. */
  readonly match: (path: string) => boolean;
  /** Euclidean norm of each output channel after each step; positive. */
  readonly norm: number;
}

/**
 * Returns the optimizer with a projection after each step: w_c <- norm w_c / ||w_c|| for each output channel c (first axis) of the
 * parameters that match. Channels of zeros stay zeros. The optimizer's slots are left as they are.
 *
 * For weights whose length does not matter (before a batch norm, or the v of `nn.boundedWeightNorm`) the network stays the same
 * and the effective learning rate, learningRate / ||w||^2, stays what it was meant to be.
 *
 * @throws OptionError if the norm is not positive; when built, if nothing matches or what matches has no channels.
 * @see Hoffer, Banner, Golan, Soudry 2018, "Norm matters", arXiv:1803.01814, sections 2 and 4
 * @example
 * const optimizer = optim.projected(optim.sgd({ learningRate: 0.1 }), { match: (path) => /conv.*weight$/.test(path), norm: 1 });
 */
export function projected(optimizer: Optimizer, { match, norm }: ProjectedOptions): Optimizer {
  if (!(norm > 0 && norm < Number.POSITIVE_INFINITY)) {
    throw new OptionError(`projected: norm must be a positive number, got ${norm}.`);
  }
  return {
    ...optimizer,
    apply(context) {
      const matching = context.parameters.filter(({ path }) => match(path));
      for (const parameter of matching) assertChannels(parameter, "projected");
      if (matching.length === 0) {
        const paths = context.parameters.map(({ path }) => path);
        throw new OptionError(`projected: a trained parameter must match, got none among ${paths.join(", ")}.`);
      }
      optimizer.apply({
        ...context,
        update(parameter, next) {
          context.update(parameter, match(parameter.path) ? rescaledChannels(context.ops, next, norm) : next);
        },
      });
    },
  };
}
