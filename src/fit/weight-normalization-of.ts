/** The normalization of weights that a recipe asks for. */
import type { Layer } from "../build/index.ts";
import * as nn from "../nn/index.ts";
import type { Recipe } from "./recipe.ts";

/** Last layers and embeddings of the networks of the zoo: their weights keep a scale of their own. */
const KEPT = /(^|\.)(head|fc|classifier|symbols|positions)\./;

/**
 * Returns the layer with its weights normalized as the recipe says; the layer itself where it says nothing.
 *
 * @param axisOf Axis of a weight's output channels; weights without one are left as they are. Default: the first.
 */
export function withNormalizedWeights(
  layer: Layer,
  normalization: Recipe["model"]["weightNormalization"],
  axisOf: (path: string) => number | undefined = () => 0,
): Layer {
  if (!normalization) return layer;
  const { kind, p, match: pattern } = normalization;
  const matching = pattern === undefined ? undefined : new RegExp(pattern);
  const match = (path: string, shape: readonly number[]): boolean =>
    shape.length >= 2 && axisOf(path) !== undefined && (matching ? matching.test(path) : !KEPT.test(path));
  const options = { p, match, axis: (path: string) => axisOf(path)! };
  if (kind === "wn") return nn.weightNorm(layer, options);
  return nn.boundedWeightNorm(layer, { ...options, gains: kind === "bwn" ? "fixed" : "learned" });
}
