/** A probe: how the scale of a fixed head grows. */
import { toNumbers } from "../../tensor/index.ts";
import type { Probe, ProbeInterval } from "../probe.ts";

/**
 * Returns a probe of the learned scale of fixed and cosine heads, `scale`, and of the bias of their first class, `bias0`. The scale grows about
 * as the logarithm of the step (arXiv:1801.04540, section 3).
 *
 * @param every Default: once in each pass over the training data.
 * @example
 * await fit(plan, { runtime, probes: { head: headScale() } });
 */
export function headScale(every: ProbeInterval = { epochs: 1 }): Probe {
  return {
    every,
    async measure(context) {
      const variables = await context.variables();
      const numbers: Record<string, number> = {};
      for (const { path, role } of context.plan.step.variables) {
        if (role !== "parameter") continue;
        if (/(^|\.)logits\.scale$/.test(path)) numbers.scale = toNumbers(variables[path]!)[0]!;
        if (/(^|\.)logits\.bias$/.test(path)) numbers.bias0 = toNumbers(variables[path]!)[0]!;
      }
      return numbers;
    },
  };
}
