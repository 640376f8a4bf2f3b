/** Which activations share one grid: they share one learned scale too. */
import type { Value } from "../program/index.ts";
import type { Draft } from "../quantize/index.ts";

/** Returns, for every value that has a grid, the value that stands for all that share it. */
export function gridGroups({ grids, plan }: Pick<Draft, "grids" | "plan">): Map<Value, Value> {
  const wholes = new Map<Value, Value>();
  for (const [whole, parts] of plan.concatenations) {
    if (grids.get(whole) === undefined) continue;
    for (const part of parts) wholes.set(part, whole);
  }
  const groups = new Map<Value, Value>();
  for (const value of grids.keys()) {
    let source = value;
    for (;;) {
      const next = plan.sameGridAs.get(source) ?? wholes.get(source);
      if (!next) break;
      source = next;
    }
    groups.set(value, source);
  }
  return groups;
}

/** Whether a value with a grid has to be rounded: what only moves or joins rounded elements is rounded already. */
export function isRounded(value: Value, { plan }: Pick<Draft, "plan">): boolean {
  return !plan.sameGridAs.has(value) && !plan.concatenations.has(value);
}
