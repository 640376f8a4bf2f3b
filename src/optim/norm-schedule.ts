/** A schedule of norms in the place of a schedule of learning rates. */
import type { Optimizer } from "../build/index.ts";
import { OptionError } from "../errors.ts";
import { type ChannelNorms, recordedNorms, rescaledChannels } from "./channel-norms.ts";

/** How norms are scheduled. */
export interface NormScheduleOptions {
  /** Norms that another run had. */
  readonly norms: ChannelNorms;
  /** Constant learning rate of the recorded weights; positive. */
  readonly learningRate: number;
}

/**
 * Returns the optimizer with a constant learning rate for the recorded weights, whose norms are scheduled instead: after each step
 * channel c is scaled to n(c, epoch) sqrt(constant rate / scheduled rate). With the rate at a tenth, norms are sqrt(10) times
 * as large, and the effective rate, rate / norm^2, is the same. All other parameters follow the optimizer's own schedule.
 *
 * Slots such as momentum are left as they are. The optimizer's schedule must stay above 0.
 *
 * @throws OptionError if the rate is not positive; when built, if the record has paths that are not trained here.
 * @throws ShapeError when built, if the record has other channels.
 * @see Hoffer, Banner, Golan, Soudry 2018, "Norm matters", arXiv:1803.01814, section 3
 * @example
 * const norms = { stepsPerEpoch: 100, norms: { "conv.weight": [[1.2, 1.4], [0.9, 1.1]] } };
 * const inner = optim.sgd({ learningRate: optim.stepDecay({ learningRate: 0.1, every: 2000 }), momentum: 0.9 });
 * const optimizer = optim.normSchedule(inner, { norms, learningRate: 0.1 });
 */
export function normSchedule(optimizer: Optimizer, { norms, learningRate }: NormScheduleOptions): Optimizer {
  if (!(learningRate > 0 && learningRate < Number.POSITIVE_INFINITY)) {
    throw new OptionError(`normSchedule: learningRate must be a positive number, got ${learningRate}.`);
  }
  return {
    ...optimizer,
    apply(context) {
      const { ops } = context;
      const recorded = recordedNorms(context, norms, { optimizer: "normSchedule" });
      // What the schedule took from the rate goes back to the step, and its root into the norm.
      const ratio = ops.div(learningRate, context.learningRate);
      const root = ops.sqrt(ratio);
      optimizer.apply({
        ...context,
        update(parameter, next) {
          const norm = recorded(parameter);
          if (!norm) return context.update(parameter, next);
          const w = parameter.value;
          const stepped = ops.add(w, ops.mul(ops.sub(next, w), ratio));
          context.update(parameter, rescaledChannels(ops, stepped, ops.mul(norm, root)));
        },
      });
    },
  };
}
