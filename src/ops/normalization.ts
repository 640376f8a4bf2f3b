/** Normalizations with more outputs than the normalized tensor. */
import type { Node, Shape } from "../program/index.ts";
import { dtypeAttribute } from "./cast.ts";
import { dimensionsDiffer } from "./dimension.ts";
import { type Fact, family, type InferenceContext, MICROSOFT, type Operator } from "./operator.ts";
import { normalizeAxis, shapeMismatch } from "./shape-check.ts";

/** BatchNormalization: (X [batch, channels, ...], scale, B, mean, variance [channels]); statistics out when training. */
function inferBatchNormalization(node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape } = context.input(0);
  const parameters = context.input(1);
  const channels = shape && shape.length > 1 ? shape[1]! : null;
  if (parameters.shape && dimensionsDiffer(channels, parameters.shape[0] ?? 1))
    throw shapeMismatch(node, "scale must have one entry per channel", shape, parameters.shape);
  const statistics = { dtype: context.input(3).dtype, shape: context.input(3).shape };
  return [{ dtype, shape }, ...node.outputs.slice(1).map(() => statistics)];
}

/** LayerNormalization: mean and inverse deviation keep the axes before `axis`; those after have length 1. */
function inferLayerNormalization(node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape } = context.input(0);
  const axis = shape && normalizeAxis(node, node.int("axis", -1), shape.length);
  const statistics = { dtype: dtypeAttribute(node, "stash_type", "float32"), shape: keepBefore(shape, axis) };
  return [{ dtype, shape }, statistics, statistics];
}

function keepBefore(shape: Shape | undefined, axis: number | undefined): Shape | undefined {
  return shape?.map((length, index) => (index < axis! ? length : 1));
}

/** Skip(Simplified)LayerNormalization: (input, skip, gamma, ...) -> (output, mean, inverse deviation, input + skip + bias). */
function inferSkip(_node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape } = context.input(0);
  const statistics: Fact = { dtype: "float32", shape: keepBefore(shape, shape && shape.length - 1) };
  return [{ dtype, shape }, statistics, statistics, { dtype, shape }];
}

/** EmbedLayerNormalization: (input_ids [batch, length], segment_ids, word_embedding [words, hidden], ...). */
function inferEmbed(_node: Node, context: InferenceContext): readonly Fact[] {
  const ids = context.input(0).shape;
  const embedding = context.input(2);
  const sum = { dtype: embedding.dtype, shape: ids && [...ids, embedding.shape?.[1] ?? null] };
  return [sum, { dtype: "int32", shape: ids && [ids[0]!] }, sum];
}

/** Normalizations. */
export const normalization: readonly Operator[] = [
  ...family(["BatchNormalization"], { infer: inferBatchNormalization }),
  ...family(["LayerNormalization", "SimplifiedLayerNormalization"], { infer: inferLayerNormalization }),
  ...family(["LayerNormalization", "SimplifiedLayerNormalization"], {
    domain: MICROSOFT,
    infer: inferLayerNormalization,
  }),
  ...family(["SkipLayerNormalization", "SkipSimplifiedLayerNormalization"], { domain: MICROSOFT, infer: inferSkip }),
  ...family(["EmbedLayerNormalization"], { domain: MICROSOFT, infer: inferEmbed }),
];
