/** The matrices in blocks of a draft, one after the other: what methods for blocks work through. */
import type { Layer } from "../../prepare/index.ts";
import type { BlockWeights } from "../block-weights.ts";
import { expectedShift, floatsOf, layerWeights } from "../quantize-layer.ts";
import type { Draft } from "./refinement.ts";

/** Returns the layers whose weights are in blocks; those that share one matrix (tied embeddings) together. */
export function blockParts(draft: Draft): Layer[][] {
  const byWeights = new Map<object, Layer[]>();
  for (const [layer, { weights }] of draft.weights) {
    if (weights.granularity !== "block") continue;
    const sharing = byWeights.get(weights) ?? [];
    byWeights.set(weights, sharing);
    sharing.push(layer);
  }
  return [...byWeights.values()];
}

/** Returns whether another layer has the very same integers (tied embeddings): changed for one, they would be stored twice. */
export function sharesBlocks(draft: Draft, layer: Layer): boolean {
  const weights = draft.weights.get(layer)?.weights;
  return (
    weights?.granularity === "block" &&
    [...draft.weights].some(([other, own]) => other !== layer && own.weights === weights)
  );
}

/**
 * Returns the draft with other weights for layers that share them. What biases make up for is worked out anew.
 *
 * @param means Mean of each channel of the layers' inputs, of those whose biases make up for something.
 */
export function withBlocks(
  draft: Draft,
  layers: readonly Layer[],
  weights: BlockWeights,
  means: ReadonlyMap<Layer, Float64Array>,
): Draft {
  const changed = new Map(draft.weights);
  for (const layer of layers) {
    const old = draft.weights.get(layer)!;
    const biasShift =
      old.biasShift && expectedShift(layer, layerWeights(layer), floatsOf(layer, weights), means.get(layer));
    changed.set(layer, { ...old, weights, biasShift });
  }
  return { ...draft, weights: changed };
}
