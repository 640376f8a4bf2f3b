/** One layer of a transformer encoder. */
import type { Layer, Scope } from "../build/index.ts";
import type { Value } from "../program/index.ts";
import { relu } from "./activations.ts";
import { assertCount, assertRank, knownLength, layerLabel } from "./check-input.ts";
import { dropout } from "./dropout.ts";
import { layerNorm } from "./layer-norm.ts";
import { linear } from "./linear.ts";
import { type AttentionInputs, multiHeadAttention } from "./multi-head-attention.ts";

/** How a transformer encoder layer is made. */
export interface TransformerEncoderLayerOptions {
  /** Heads of the attention. */
  readonly heads: number;
  /** Features between the two linear layers. Default 2048. */
  readonly feedForward?: number;
  /** Probability of dropping: attention weights, what is between the linear layers, and what both parts add. Default 0.1. */
  readonly dropout?: number;
  /** Between the two linear layers. Default relu. */
  readonly activation?: Layer;
  /** Whether each part's input is normalized ("pre") or its sum with the result ("post", the default, as in PyTorch). */
  readonly norm?: "pre" | "post";
  /** Added to the variance when normalizing. Default 1e-5. */
  readonly epsilon?: number;
  /** Whether each position sees only itself and those before it. Default false. */
  readonly causal?: boolean;
}

/**
 * Self-attention and a two-layer perceptron, each added to its input and normalized.
 *
 * Shapes: x [batch, positions, features] -> y as x. Children: `attention`, `linear1`, `linear2`, `norm1`, `norm2`; those of
 * torch.nn.TransformerEncoderLayer with batch_first, where the first is called self_attn. A mask may be given as for
 * `multiHeadAttention`.
 *
 * @throws OptionError if a number is out of range.
 * @throws ShapeError when built, if x has not three axes, or `heads` does not divide the features.
 * @see Vaswani et al. 2017, arXiv:1706.03762; for "pre": Xiong et al. 2020, arXiv:2002.04745
 * @example
 * const encoder = nn.sequential([
 *   nn.transformerEncoderLayer({ heads: 4, feedForward: 512, norm: "pre" }),
 *   nn.transformerEncoderLayer({ heads: 4, feedForward: 512, norm: "pre" }),
 *   nn.layerNorm(),
 * ]);
 */
export function transformerEncoderLayer(
  options: TransformerEncoderLayerOptions,
): (x: Value, scope: Scope, inputs?: Pick<AttentionInputs, "mask">) => Value {
  const { heads, feedForward = 2048, activation = relu(), norm = "post", epsilon = 1e-5, causal = false } = options;
  const probability = options.dropout ?? 0.1;
  assertCount(feedForward, "feedForward", "transformerEncoderLayer");
  const attention = multiHeadAttention({ heads, causal, dropout: probability });
  const drop = dropout(probability);
  return (x, scope, inputs) => {
    const label = layerLabel("transformerEncoderLayer", scope);
    assertRank(x, ["batch", "positions", "features"], label);
    const features = knownLength(x, -1, "features", label);
    const attend: Layer = (value) => drop(attention(value, scope.child("attention"), inputs), scope);
    const perceptron: Layer = (value) => {
      const hidden = activation(linear(feedForward)(value, scope.child("linear1")), scope.child("activation"));
      return drop(linear(features)(drop(hidden, scope), scope.child("linear2")), scope);
    };
    const normalize = (name: string, value: Value) => layerNorm({ epsilon })(value, scope.child(name));
    const add = (part: Layer, name: string, value: Value): Value =>
      norm === "pre"
        ? scope.ops.add(value, part(normalize(name, value), scope))
        : normalize(name, scope.ops.add(value, part(value, scope)));
    return add(perceptron, "norm2", add(attend, "norm1", x));
  };
}
