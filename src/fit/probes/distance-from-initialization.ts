/** A probe: how far weights have come. */
import { toNumbers } from "../../tensor/index.ts";
import type { Probe, ProbeInterval } from "../probe.ts";
import { layerOf, Norms } from "./norms.ts";

/**
 * Returns a probe of the Euclidean distance of the parameters from where they started: `total`, and one number for each layer
 * under its path. The start is computed from the seed each time, so that a run need not keep it.
 *
 * @param every Default: once in each pass over the training data.
 * @example
 * await fit(plan, { runtime, probes: { distance: distanceFromInitialization() } });
 */
export function distanceFromInitialization(every: ProbeInterval = { epochs: 1 }): Probe {
  return {
    every,
    async measure(context) {
      const now = await context.variables();
      const start = context.initialVariables();
      const norms = new Norms();
      for (const { path, role } of context.plan.step.variables) {
        if (role !== "parameter") continue;
        const [to, from] = [toNumbers(now[path]!), toNumbers(start[path]!)];
        let squares = 0;
        for (let i = 0; i < to.length; i++) squares += (to[i]! - from[i]!) ** 2;
        norms.add(layerOf(path), squares);
      }
      return norms.values();
    },
  };
}
