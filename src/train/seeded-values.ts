/** Random numbers in a step, from a seed and the number of the step. */
import type { Ops, RandomValues } from "../build/index.ts";
import type { Value } from "../program/index.ts";

/** Returns the random numbers of a step. */
export function seededValues(_ops: Ops, _seed: Value, _step: Value): RandomValues {
  const later = (): never => {
    throw new Error("internal: random values are being written");
  };
  return { uniform: later, normal: later };
}
