/** Multi-head attention. */
import type { Initializer, Ops, Scope } from "../build/index.ts";
import { DTypeError, OptionError, ShapeError } from "../errors.ts";
import type { Value } from "../program/index.ts";
import { float32 } from "../tensor/index.ts";
import { assertCount, assertRank, knownLength, layerLabel, shownShape } from "./check-input.ts";
import { dropout } from "./dropout.ts";
import { inverseRootUniform, xavierUniform } from "./fan-initializers.ts";
import { zeros } from "./initializers.ts";
import { project } from "./linear.ts";

/** How attention is made. */
export interface MultiHeadAttentionOptions {
  /** Parts that the features fall into, each with weights of its own. */
  readonly heads: number;
  /** Whether each position sees only itself and those before it. Default false. */
  readonly causal?: boolean;
  /** Probability of an attention weight to be dropped while training. Default 0. */
  readonly dropout?: number;
  /** Whether projections have biases. Default true. */
  readonly bias?: boolean;
  /** What the projections of queries, keys and values start with. Default: Xavier's uniform numbers for the three as one. */
  readonly inputWeight?: Initializer;
  /** What the projection of the result starts with. Default: uniform in +-1 / sqrt(features). */
  readonly outputWeight?: Initializer;
}

/** What attention may look at besides x. */
export interface AttentionInputs {
  /** What keys and values are made of: [batch, positions, features]. Default: x itself (self-attention). */
  readonly memory?: Value;
  /**
   * Which positions (last axis) each query (last but one) may see: bool, true where it may; or numbers that are added to the
   * scores. Any shape that broadcasts to [batch, heads, queries, positions].
   */
  readonly mask?: Value;
}

/** A layer of one input that can be given more: memory and a mask. */
export type AttentionLayer = (x: Value, scope: Scope, inputs?: AttentionInputs) => Value;

/** Added to the scores of positions that may not be seen: large enough that e^score is 0, and finite. */
const HIDDEN = -1e30;

/**
 * Lets every position take from every other: softmax(Q K^T / sqrt(d)) V in each of several heads, whose results are joined.
 *
 * Shapes: x [batch, queries, features] -> y as x; `inputProjection.weight` [3 features, features] (rows of queries, keys,
 * values) and `.bias` [3 features], `outputProjection.weight` [features, features] and `.bias` [features]: in_proj_weight,
 * in_proj_bias, out_proj.weight, out_proj.bias of torch.nn.MultiheadAttention with batch_first, and their start.
 *
 * Boolean masks are ONNX's: true where a position may be seen (PyTorch's attn_mask means the opposite). A query that may see
 * nothing gets the mean of all values, where PyTorch gives NaN.
 *
 * @throws OptionError if a number is out of range.
 * @throws ShapeError when built, if x or the memory are not shaped as above, or `heads` does not divide the features.
 * @see Vaswani et al. 2017, "Attention Is All You Need", arXiv:1706.03762
 * @example
 * const attention = nn.multiHeadAttention({ heads: 8, causal: true });
 * const decode: Layer = (x, scope) => attention(x, scope.child("cross"), { memory });
 */
export function multiHeadAttention(options: MultiHeadAttentionOptions): AttentionLayer {
  const { heads, causal = false, bias = true, inputWeight = xavierUniform(), outputWeight } = options;
  assertCount(heads, "heads", "multiHeadAttention");
  const drop = dropout(options.dropout ?? 0);
  return (x, scope, { memory = x, mask } = {}) => {
    const { ops } = scope;
    const label = layerLabel("multiHeadAttention", scope);
    const features = checkedFeatures(x, memory, heads, label);
    const [input, output] = [scope.child("inputProjection"), scope.child("outputProjection")];
    const weights = ops.split(input.parameter("weight", [3 * features, features], inputWeight), 0, thirds(features));
    const biases = bias ? ops.split(input.parameter("bias", [3 * features], zeros()), 0, thirds(features)) : [];
    const [q, k, v] = [x, memory, memory].map((from, index) =>
      splitHeads(ops, project(ops, from, weights[index]!, biases[index]), heads),
    );
    const scale = 1 / Math.sqrt(features / heads);
    const scores = ops.matMul(ops.mul(q!, scale), ops.transposeLast(k!));
    const seen = [
      ...(mask ? [additive(ops, mask, x, label)] : []),
      ...(causal ? [causalMask(ops, x, memory, label)] : []),
    ];
    const masked = seen.reduce((sum, term) => ops.add(sum, term), scores);
    const joined = joinHeads(ops, ops.matMul(drop(ops.softmax(masked), scope), v!), features);
    const weight = output.parameter("weight", [features, features], outputWeight ?? inverseRootUniform(features));
    return project(ops, joined, weight, bias ? output.parameter("bias", [features], zeros()) : undefined);
  };
}

function thirds(features: number): readonly number[] {
  return [features, features, features];
}

function checkedFeatures(x: Value, memory: Value, heads: number, label: string): number {
  assertRank(x, ["batch", "queries", "features"], label);
  const features = knownLength(x, -1, "features", label);
  if (features % heads !== 0) {
    throw new ShapeError(`${label}: features must be a multiple of heads (${heads}), got ${features}.`);
  }
  if (memory.shape?.length !== 3 || memory.shape[2] !== features) {
    throw new ShapeError(
      `${label}: memory must be shaped [batch, positions, ${features}], got ${shownShape(memory)}. ` +
        "Bring it to the features of x with linear.",
    );
  }
  return features;
}

/** [batch, positions, features] -> [batch, heads, positions, features / heads] */
function splitHeads(ops: Ops, x: Value, heads: number): Value {
  return ops.transpose(ops.reshape(x, [0, 0, heads, -1]), [0, 2, 1, 3]);
}

/** [batch, heads, positions, features / heads] -> [batch, positions, features] */
function joinHeads(ops: Ops, x: Value, features: number): Value {
  return ops.reshape(ops.transpose(x, [0, 2, 1, 3]), [0, 0, features]);
}

/** A mask as what is added to the scores. */
function additive(ops: Ops, mask: Value, x: Value, label: string): Value {
  if (mask.dtype === "bool") return ops.mul(ops.sub(1, ops.cast(mask, x.dtype!)), HIDDEN);
  if (mask.dtype === x.dtype) return mask;
  throw new DTypeError(
    `${label}: mask must be bool or ${x.dtype}, as the input, got ${mask.dtype}. Convert it with cast.`,
  );
}

/** 0 on and below the diagonal, HIDDEN above. */
function causalMask(ops: Ops, x: Value, memory: Value, label: string): Value {
  const queries = knownLength(x, 1, "queries", label);
  const positions = knownLength(memory, 1, "positions", label);
  if (queries !== positions) {
    throw new OptionError(
      `${label}: causal attention must have as many positions as queries, got ${positions} and ${queries}.`,
    );
  }
  const values = Float32Array.from({ length: queries * queries }, (_, index) =>
    index % queries > Math.floor(index / queries) ? HIDDEN : 0,
  );
  return ops.cast(ops.constant(float32([queries, queries], values), "causalMask"), x.dtype!);
}
