/** Every refinement by name: what `quantize --optimize` climbs. */
import {
  equalization,
  errorFeedback,
  halfQuadratic,
  type Refinement,
  reEstimation,
  smoothing,
} from "../quantize/index.ts";
import { distillation } from "./distillation.ts";
import { learnedRounding } from "./learned-rounding.ts";

/** Makes each refinement with its defaults, in the order in which they are climbed. */
export const refinements: Readonly<Record<string, () => Refinement>> = {
  smoothing: () => smoothing(),
  equalization: () => equalization(),
  "half-quadratic": () => halfQuadratic(),
  "error-feedback": () => errorFeedback(),
  "re-estimation": () => reEstimation(),
  "learned-rounding": () => learnedRounding(),
  distillation: () => distillation(),
};

/** Names of those that `--optimize` climbs when none are named: each showed a gain (docs/results/ladder.md). */
export const defaultRefinements: readonly string[] = ["error-feedback", "learned-rounding"];
