/** Weights rounded one after the other, each making up for the errors of those before it: GPTQ. */
import type { Layer } from "../../prepare/index.ts";
import { hasIntegerForm } from "../activation-plan.ts";
import { sharesBlocks } from "./block-parts.ts";
import { refineLayer } from "./feedback-layer.ts";
import { gatherMoments } from "./gram.ts";
import { layerGroups } from "./layer-groups.ts";
import { MatrixProducts } from "./matrix.ts";
import { PartJudge } from "./part-judge.ts";
import type { Draft, RefinedPart, Refinement, RefinementContext } from "./refinement.ts";

/** Passes over the data, at most: deeper models have neighbouring layers done together. */
const MOST_PASSES = 16;

/**
 * Makes a refinement that chooses the integers, scales and biases of one layer after the other so that its outputs are those
 * of the float model on the samples, by least squares and in closed form:
 *
 * - weights are rounded in turn, each moved by what the errors of those before it call for (GPTQ, arXiv:2210.17323), on the
 *   best of several scales for each row, and are then improved one at a time (`roundRows`, `descendRows`);
 * - what they are rounded from makes up for the errors of the layers before: the float model's outputs are the target, the
 *   quantized model's inputs what they are computed from (GPTAQ, arXiv:2504.02692);
 * - biases take away the mean of what is left.
 *
 * A least error of a layer need not be one of the model: MobileNetV2's last blocks sum errors that ReLU6 would have cut off. So
 * every part is judged by the model's outputs on samples kept back, and left as it was where these get worse.
 *
 * Layers are done in the order of the graph, in at most 16 passes over the data. Nothing but sums over samples is kept, of
 * which only the largest layers have more than some megabytes. Layers stay as they are that share their weights, or are
 * neither convolutions nor products of matrices.
 *
 * @example
 * await quantize(model, { runtime, weights: 4, calibration, refinements: [errorFeedback()] });
 */
export function errorFeedback(): Refinement {
  return {
    name: "error-feedback",
    summary: "rounds weights so that their errors make up for each other, layer after layer (GPTQ)",
    refine,
  };
}

async function* refine(start: Draft, context: RefinementContext): AsyncGenerator<RefinedPart> {
  const { skip, deadlineMs, signal } = context;
  const layers = start.layers.filter((layer) => {
    return start.weights.has(layer) && isSuitable(layer) && !sharesBlocks(start, layer);
  });
  const judged = await PartJudge.open(start, context);
  const products = await MatrixProducts.open(context.runtime);
  let done = 0;
  try {
    for (const group of layerGroups(start.program, layers, MOST_PASSES)) {
      done += group.length;
      if (done <= skip) continue;
      if (performance.now() >= deadlineMs) return;
      const { draft, fit } = judged;
      // Layers of the group are in float meanwhile: errors of the integers they had are none to make up for.
      const others = new Map([...draft.weights].filter(([layer]) => !group.includes(layer)));
      const moments = await gatherMoments({ ...draft, weights: others }, group, hasPlaceForBias, {
        ...context,
        data: fit,
      });
      const weights = new Map(draft.weights);
      for (const layer of group) {
        signal?.throwIfAborted();
        weights.set(layer, await refineLayer(draft.weights.get(layer)!, moments.get(layer)!, products));
      }
      yield { ...(await judged.take({ ...draft, weights }, group)), done, total: layers.length, unit: "layer" };
    }
  } finally {
    await products.release();
  }
}

/** Whether a layer's outputs are its rows of weights times its inputs, and a bias: then they can be put right. */
export function isSuitable(layer: Layer): boolean {
  return hasIntegerForm(layer) && !layer.sharesWeight && layer.node.int("transA", 0) === 0;
}

/** Whether a shift of the layer's outputs has a place: a MatMul without an Add has none. */
export function hasPlaceForBias({ kind, biasNode }: Layer): boolean {
  return kind !== "matmul" || biasNode !== undefined;
}
