/** Every refinement by name: what `quantize --optimize` climbs. */
import { errorFeedback, halfQuadratic, type Refinement, smoothing } from "../quantize/index.ts";
import { distillation } from "./distillation.ts";
import { learnedRounding } from "./learned-rounding.ts";

/** Makes each refinement with its defaults, in the order in which they are climbed. */
export const refinements: Readonly<Record<string, () => Refinement>> = {
  smoothing: () => smoothing(),
  "half-quadratic": () => halfQuadratic(),
  "error-feedback": () => errorFeedback(),
  "learned-rounding": () => learnedRounding(),
  distillation: () => distillation(),
};

/** Names of those that `--optimize` climbs when none are named: each showed a gain (docs/results/ladder.md). */
export const defaultRefinements: readonly string[] = ["error-feedback", "learned-rounding"];
