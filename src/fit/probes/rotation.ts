/** A probe: by how much a step turns the weights, and by how much it should in the long run. */
import { toNumbers } from "../../tensor/index.ts";
import { compile, type Training } from "../../train/index.ts";
import type { Probe, ProbeInterval } from "../probe.ts";
import { anglesOfChannels, type ParameterMatch, weightPaths } from "./channels.ts";

/** What is measured, and how often. */
export interface RotationOptions {
  /** Whether the parameter at this path is measured. Default: every parameter with two or more axes. */
  readonly match?: ParameterMatch;
  /** SGD's weight decay and momentum (default 0): adds the turn that is predicted. */
  readonly equilibrium?: { readonly weightDecay: number; readonly momentum?: number };
  /** Default: once in each pass over the training data. */
  readonly every?: ProbeInterval;
}

/**
 * Returns a probe of the angle in radians between the directions of weights before and after a step: the root mean square over
 * the output channels of each weight, under its path. The step is one more, on the batch of the last one, by a second compiled
 * program; the training itself goes on as if it had not been taken.
 *
 * With `equilibrium`, the value `equilibrium` is what SGD with weight decay tends to for every weight before a normalization,
 * whatever its gradients are: sqrt(2 eta lambda / (1 + momentum)) in each step. There, what decay takes from ||w||^2 is what
 * steps add: without momentum 2 eta lambda ||w||^2 = eta^2 ||g||^2.
 *
 * @see Kosson, Messmer, Jaggi 2024, "Rotational equilibrium", arXiv:2305.17212
 * @example
 * await fit(plan, { runtime, probes: { rotation: rotation({ equilibrium: { weightDecay: 5e-4, momentum: 0.9 } }) } });
 */
export function rotation({ match, equilibrium, every = { epochs: 1 } }: RotationOptions = {}): Probe {
  let trial: Training | undefined;
  return {
    every,
    async measure({ plan, runtime, batch, variables }) {
      const before = await variables();
      if (trial) await trial.restore(before);
      else trial = await compile(plan.step, { runtime, variables: before });
      await trial.run(batch);
      const after = await trial.variables();
      const turns = weightPaths(plan, match).map((path) => {
        const angles = anglesOfChannels(before[path]!, after[path]!);
        const squares = angles.reduce((sum, angle) => sum + angle ** 2, 0);
        return [path, Math.sqrt(squares / Math.max(1, angles.length))] as const;
      });
      if (!equilibrium) return Object.fromEntries(turns);
      const { weightDecay, momentum = 0 } = equilibrium;
      const { learningRate } = plan.step;
      const eta = typeof learningRate === "number" ? learningRate : learningRate(toNumbers(before.step!)[0]!);
      return { ...Object.fromEntries(turns), equilibrium: Math.sqrt((2 * eta * weightDecay) / (1 + momentum)) };
    },
    async release() {
      await trial?.release();
      trial = undefined;
    },
  };
}
