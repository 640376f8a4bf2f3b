/** A probe: how fast the directions of weights can turn. */
import type { Probe, ProbeInterval } from "../probe.ts";
import { normsOfChannels, type ParameterMatch, weightPaths } from "./channels.ts";

/** What is measured, and how often. */
export interface EffectiveRateOptions {
  /** Whether the parameter at this path is measured. Default: every parameter with two or more axes. */
  readonly match?: ParameterMatch;
  /** Default: once in each pass over the training data. */
  readonly every?: ProbeInterval;
}

/**
 * Returns a probe of the effective learning rate eta / ||w_c||^2, the mean over the output channels c of each weight, under its
 * path; eta is the last step's. Before a normalization only the direction u = w / ||w|| counts, and it moves by
 * -eta ||w||^-2 (I - u u^T) grad L(u) in a step of SGD. Channels of zeros are left out.
 *
 * @see Hoffer, Banner, Golan, Soudry 2018, "Norm matters", arXiv:1803.01814, section 2
 * @example
 * await fit(plan, { runtime, probes: { rate: effectiveRate() } });
 */
export function effectiveRate({ match, every = { epochs: 1 } }: EffectiveRateOptions = {}): Probe {
  return {
    every,
    async measure({ plan, step, variables }) {
      const all = await variables();
      const { learningRate } = plan.step;
      const eta = typeof learningRate === "number" ? learningRate : learningRate(Math.max(0, step - 1));
      return Object.fromEntries(
        weightPaths(plan, match).map((path) => {
          const norms = normsOfChannels(all[path]!).filter((norm) => norm > 0);
          return [path, norms.reduce((sum, norm) => sum + eta / norm ** 2, 0) / Math.max(1, norms.length)];
        }),
      );
    },
  };
}
