/** Learning rates for each channel that do what weight decay did in another run. */
import type { Optimizer } from "../build/index.ts";
import { type ChannelNorms, channelSquares, recordedNorms } from "./channel-norms.ts";

/** The record that rates follow. */
export interface CorrectedRateOptions {
  /** Norms that another run, with weight decay, had. */
  readonly norms: ChannelNorms;
}

/**
 * Returns the optimizer with a learning rate of its own for each output channel c of the recorded weights: learningRate
 * ||w_c||^2 / n(c, epoch)^2, n being the recorded norm. Directions then turn as fast as they did in the recorded run, without
 * its weight decay.
 *
 * What is multiplied is the whole change of a step, after momentum and adaptive scales, with the norm that w has in that step;
 * leave decay of these weights off. Norms of the end of a pass hold for all of its steps, as in the reference code. A recorded
 * norm of 0, or one that is no number, stops its channel. Norms of w grow without bound: they mean nothing before a
 * normalization.
 *
 * @throws OptionError when built, if the record has paths that are not trained here; ShapeError if it has other channels.
 * @see Hoffer, Banner, Golan, Soudry 2018, "Norm matters", arXiv:1803.01814, section 3
 * @example
 * const norms = { stepsPerEpoch: 100, norms: { "conv.weight": [[1.2, 1.4], [0.9, 1.1]] } };
 * const optimizer = optim.correctedRate(optim.sgd({ learningRate: 0.1, momentum: 0.9 }), { norms });
 */
export function correctedRate(optimizer: Optimizer, { norms }: CorrectedRateOptions): Optimizer {
  return {
    ...optimizer,
    apply(context) {
      const { ops } = context;
      const numberOf = (norm: number): number => (norm > 0 && Number.isFinite(norm) ? 1 / norm ** 2 : 0);
      const inverseSquares = recordedNorms(context, norms, { optimizer: "correctedRate", numberOf });
      optimizer.apply({
        ...context,
        update(parameter, next) {
          const inverse = inverseSquares(parameter);
          if (!inverse) return context.update(parameter, next);
          const w = parameter.value;
          const factor = ops.mul(channelSquares(ops, w), inverse);
          context.update(parameter, ops.add(w, ops.mul(ops.sub(next, w), factor)));
        },
      });
    },
  };
}
