/** A probe: how large gradients and weights are, layer by layer. */
import type { Optimizer } from "../../build/index.ts";
import { toNumbers } from "../../tensor/index.ts";
import { compile, type Training } from "../../train/index.ts";
import type { Probe, ProbeInterval } from "../probe.ts";
import { layerOf, Norms } from "./norms.ts";

/** Prefix of the metrics that hold the squares of a parameter's gradient. */
const SQUARES = "squares.";

/** An optimizer that changes nothing, and makes the sum of squares of every gradient known. */
const observing: Optimizer = {
  learningRate: 0,
  apply({ ops, gradients, metric }) {
    for (const { parameter, gradient } of gradients()) {
      metric(SQUARES + parameter.path, ops.reduceSum(ops.square(gradient), { keepDims: false }));
    }
  },
};

/**
 * Returns a probe of Euclidean norms: `gradient.total` and `weight.total`, and `gradient.<layer>` and `weight.<layer>` for each
 * layer. The gradient is that of the loss on the batch of the last step at the weights after it, by a second compiled program:
 * the training's own steps are as fast as without the probe. For norms in every step there is `optim.measured`.
 *
 * @param every Default: once in each pass over the training data.
 * @example
 * await fit(plan, { runtime, probes: { norms: gradientAndWeightNorms({ steps: 100 }) } });
 */
export function gradientAndWeightNorms(every: ProbeInterval = { epochs: 1 }): Probe {
  let observer: Training | undefined;
  return {
    every,
    async measure({ plan, runtime, batch, variables }) {
      const all = await variables();
      const { builder } = plan.step;
      const trains = builder.trains && { trains: builder.trains };
      const step = observer?.step ?? builder.build({}, { ...observing, ...trains });
      const known = Object.fromEntries(step.variables.map(({ path }) => [path, all[path]!]));
      if (observer) await observer.restore(known);
      else observer = await compile(step, { runtime, variables: known });
      const metrics = await observer.run(batch);
      const [gradients, weights] = [new Norms(), new Norms()];
      for (const { path, role } of step.variables) {
        const squares = metrics[SQUARES + path];
        if (squares) gradients.add(layerOf(path), toNumbers(squares)[0]!);
        if (role === "parameter") {
          const numbers = toNumbers(all[path]!);
          weights.add(
            layerOf(path),
            numbers.reduce((sum, number) => sum + number * number, 0),
          );
        }
      }
      return { ...gradients.values("gradient."), ...weights.values("weight.") };
    },
    async release() {
      await observer?.release();
      observer = undefined;
    },
  };
}
