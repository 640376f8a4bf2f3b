/** Results that 8 bits hold too coarsely and that must not be clipped: their layers compute in float. */
import type { Layer } from "../prepare/index.ts";
import type { Value } from "../program/index.ts";
import { hasIntegerForm } from "./activation-plan.ts";
import type { ActivationChoice } from "./choose-grids.ts";
import { measuredMse } from "./measured-error.ts";

/**
 * Below this, more than a hundredth of the power is lost. Eight bits hold normal values with some 40 dB, and Laplace values up
 * to the largest of a million with 33: only outliers of fifty times the usual size lead here.
 */
const LEAST_SQNR_DB = 20;

/** The choices that are kept, and the layers that compute in float for want of the others, each with the reason. */
export interface RemainingChoices {
  readonly choices: ReadonlyMap<Value, ActivationChoice>;
  readonly floatLayers: ReadonlyMap<Layer, string>;
}

/**
 * Leaves out the results from which a maximum over places picks the outliers, so that these must be kept, while a grid that
 * holds the outliers is too coarse for everything else. A convolution without a grid for its result has no integer form;
 * what it alone would have read as integers then stays in float too.
 */
export function withoutCoarseMaxima(
  choices: ReadonlyMap<Value, ActivationChoice>,
  layers: readonly Layer[],
): RemainingChoices {
  const remaining = new Map(choices);
  const floatLayers = new Map<Layer, string>();
  for (const [value, choice] of choices) {
    if (!choice.request.feedsMaximum) continue;
    const sqnrDb = localSqnrDb(choice);
    if (sqnrDb >= LEAST_SQNR_DB) continue;
    remaining.delete(value);
    const { layer } = choice.request;
    if (!layer || !needsStoredResult(layer)) continue;
    floatLayers.set(
      layer,
      `computes in float: a maximum picks the outliers of its results, and 8 bits that hold those hold the rest with ${sqnrDb.toFixed(0)} dB only`,
    );
  }
  const others = layers.filter((layer) => hasIntegerForm(layer) && !floatLayers.has(layer));
  const read = new Set(others.map(({ input }) => input));
  for (const { input } of floatLayers.keys()) {
    if (remaining.get(input)?.request.role === "input" && !read.has(input)) remaining.delete(input);
  }
  return { choices: remaining, floatLayers };
}

/** Products of matrices have a form with integers in and floats out; convolutions have none. */
function needsStoredResult({ kind }: Layer): boolean {
  return kind === "conv" || kind === "depthwise-conv";
}

/** Signal to noise of a tensor on its grid, by its own histogram, dB. */
function localSqnrDb({ statistics, grid, rangeRequest }: ActivationChoice): number {
  if (!statistics.histogram) return Number.POSITIVE_INFINITY;
  const power = statistics.mean ** 2 + statistics.standardDeviation ** 2;
  return 10 * Math.log10(power / measuredMse(statistics.histogram, grid, rangeRequest));
}
