/** Attention as products and a softmax. */
import { UnsupportedError } from "../../errors.ts";
import type { Node, Value } from "../../program/index.ts";
import { tensorOf } from "../../tensor/index.ts";
import { fixedNumbers } from "../fixed-numbers.ts";
import type { Ops } from "../ops.ts";
import type { Decomposition } from "./decomposition.ts";

/** What is added to the score of a key that must not be seen: so low that nothing is left of it, and finite. */
const HIDDEN = -1e30;

/** What attention is computed from. Shapes: query [batch, heads, length, size], key and value [batch, kvHeads, keys, size]. */
interface AttentionParts {
  readonly query: Value;
  readonly key: Value;
  readonly value: Value;
  readonly scale: number;
  /** Added to the scores; broadcast to [batch, heads, length, keys]. */
  readonly bias: Value | undefined;
  /** Scores are squeezed to (-softcap, softcap); 0 for no limit. */
  readonly softcap: number;
}

/** Returns the weighted means [batch, heads, length, size] and the scores at each stage. */
function attend(ops: Ops, { query, key, value, scale, bias, softcap }: AttentionParts) {
  const [batch, heads, length, size] = ops.shapeOf(query) as [number, number, number, number];
  const [, keyHeads, keys] = ops.shapeOf(key) as [number, number, number];
  // Query heads that share a key head are rows of one product: keys are not repeated.
  const grouped = (x: Value, last: number) => ops.reshape(x, [batch, keyHeads, (heads / keyHeads) * length, last]);
  const products = ops.matMul(grouped(ops.mul(query, scale), size), ops.transposeLast(key));
  const scores = ops.reshape(products, [batch, heads, length, keys]);
  const capped = softcap > 0 ? ops.mul(ops.tanh(ops.div(scores, softcap)), softcap) : scores;
  const biased = bias ? ops.add(capped, bias) : capped;
  const weights = ops.softmax(biased, -1);
  const means = ops.matMul(grouped(weights, keys), value);
  const result = ops.reshape(means, [batch, heads, length, ops.shapeOf(value)[3]!]);
  return { result, stages: [scores, capped, biased, weights] };
}

/** Splits [batch, length, heads * size] into [batch, heads, length, size]. */
function splitHeads(ops: Ops, x: Value, heads: number): Value {
  const [batch, length, hidden] = ops.shapeOf(x) as [number, number, number];
  return ops.transpose(ops.reshape(x, [batch, length, heads, hidden / heads]), [0, 2, 1, 3]);
}

/** Joins [batch, heads, length, size] to [batch, length, heads * size]. */
function joinHeads(ops: Ops, x: Value): Value {
  const [batch, heads, length, size] = ops.shapeOf(x) as [number, number, number, number];
  return ops.reshape(ops.transpose(x, [0, 2, 1, 3]), [batch, length, heads * size]);
}

/** Hides keys that come after the query; the first query stands after `past` keys. Shape: [length, keys]. */
function causalBias(ops: Ops, length: number, keys: number, past: number, like: Value): Value {
  const numbers = Array.from({ length: length * keys }, (_, index) =>
    (index % keys) - Math.floor(index / keys) > past ? HIDDEN : 0,
  );
  return ops.constant(tensorOf(like.dtype!, [length, keys], numbers));
}

/** Turns a mask into what is added to the scores: booleans hide where they are false. */
function maskBias(ops: Ops, mask: Value, like: Value): Value {
  return mask.dtype === "bool" ? ops.mul(ops.cast(ops.not(mask), like.dtype!), HIDDEN) : ops.cast(mask, like.dtype!);
}

function sum(ops: Ops, terms: readonly (Value | undefined)[]): Value | undefined {
  return terms
    .filter((term) => term !== undefined)
    .reduce<Value | undefined>((a, b) => (a ? ops.add(a, b) : b), undefined);
}

/** Attention (operator set 23): (Q, K, V, mask, past_key, past_value) -> Y, present_key, present_value, scores. */
const attention: Decomposition = (node, ops) => {
  refuseInputs(node, [[6, "nonpad_kv_seqlen"]]);
  const isFlat = ops.rankOf(node.input(0)) === 3;
  const keyHeads = node.int("kv_num_heads", 1);
  const heads = (index: number, count: number) =>
    isFlat ? splitHeads(ops, node.input(index), count) : node.input(index);
  const withPast = (x: Value, index: number) => (node.inputs[index] ? ops.concat([node.inputs[index], x], 2) : x);
  const query = heads(0, node.int("q_num_heads", 1));
  const [key, value] = [withPast(heads(1, keyHeads), 4), withPast(heads(2, keyHeads), 5)];
  const [length, keys] = [ops.shapeOf(query)[2]!, ops.shapeOf(key)[2]!];
  const past = node.inputs[4] ? ops.shapeOf(node.inputs[4])[2]! : 0;
  const bias = sum(ops, [
    node.inputs[3] && maskBias(ops, fullWidth(ops, node.inputs[3], keys), query),
    node.int("is_causal", 0) ? causalBias(ops, length, keys, past, query) : undefined,
  ]);
  const scale = node.float("scale", 0) || 1 / Math.sqrt(ops.shapeOf(query)[3]!);
  const { result, stages } = attend(ops, { query, key, value, scale, bias, softcap: node.float("softcap", 0) });
  const mode = node.int("qk_matmul_output_mode", 0);
  return [isFlat ? joinHeads(ops, result) : result, key, value, stages[mode]];
};

/** A mask may be narrower than there are keys (operator set 24): the keys beyond it are hidden. */
function fullWidth(ops: Ops, mask: Value, keys: number): Value {
  const shape = ops.shapeOf(mask);
  const missing = keys - shape.at(-1)!;
  if (missing === 0 || shape.at(-1) === 1) return mask;
  const pads = [...shape.map(() => 0), ...shape.map((_, axis) => (axis === shape.length - 1 ? missing : 0))];
  return mask.dtype === "bool" ? ops.cast(ops.pad(ops.cast(mask, "int32"), pads), "bool") : ops.pad(mask, pads, HIDDEN);
}

/** MultiHeadAttention (ONNX Runtime): (query, key, value, bias, key_padding_mask, attention_bias), not packed, without a past. */
const multiHead: Decomposition = (node, ops) => {
  refuseInputs(node, [
    [6, "past_key"],
    [7, "past_value"],
  ]);
  const heads = node.int("num_heads", 1);
  if (!node.inputs[1] || !node.inputs[2] || ops.rankOf(node.input(0)) !== 3) {
    throw new UnsupportedError(
      `${node.label}: query, key and value must be separate, got them packed. Split them first.`,
    );
  }
  const hidden = [0, 1, 2].map((index) => {
    const shape = ops.shapeOf(node.input(index));
    return shape.length === 4 ? shape[1]! * shape[3]! : shape[2]!;
  });
  const biases = node.inputs[3] ? ops.split(node.inputs[3], 0, hidden) : [];
  const [query, key, value] = [0, 1, 2].map((index) => {
    const x = node.input(index);
    if (ops.rankOf(x) === 4) return x;
    return splitHeads(ops, biases[index] ? ops.add(x, biases[index]) : x, heads);
  }) as [Value, Value, Value];
  const result = attendMicrosoft(node, ops, [query, key, value], node.inputs[4], node.inputs[5]);
  return [result, key, value];
};

/** Attention (ONNX Runtime): (input, weights [in, 3 * hidden], bias, mask, past, attention_bias), without a past. */
const packed: Decomposition = (node, ops) => {
  refuseInputs(node, [
    [4, "past"],
    [6, "past_sequence_length"],
  ]);
  if (node.int("do_rotary", 0))
    throw new UnsupportedError(`${node.label}: do_rotary must be 0 to have a gradient, got 1.`);
  const weights = node.input(1);
  const width = ops.shapeOf(weights)[1]!;
  const sizes = node.ints("qkv_hidden_sizes") ?? [width / 3, width / 3, width / 3];
  const products = ops.matMul(node.input(0), weights);
  const parts = ops.split(node.inputs[2] ? ops.add(products, node.inputs[2]) : products, 2, sizes);
  const heads = parts.map((part) => splitHeads(ops, part, node.int("num_heads", 1))) as [Value, Value, Value];
  const result = attendMicrosoft(node, ops, heads, node.inputs[3], node.inputs[5]);
  const present =
    node.outputs[1] &&
    ops.concat(
      [heads[1], heads[2]].map((part) => ops.unsqueeze(part, [0])),
      0,
    );
  return [result, present];
};

/** The part that ONNX Runtime's operators share. The mask has a number per key (1 to see it), or per query and key. */
function attendMicrosoft(
  node: Node,
  ops: Ops,
  [query, key, value]: readonly [Value, Value, Value],
  mask: Value | undefined,
  attentionBias: Value | undefined,
): Value {
  const [batch, , length, size] = ops.shapeOf(query) as [number, number, number, number];
  const keys = ops.shapeOf(key)[2]!;
  const bias = sum(ops, [
    mask && keyMaskBias(node, ops, mask, [batch, length, keys], query),
    attentionBias,
    node.int("unidirectional", 0) ? causalBias(ops, length, keys, 0, query) : undefined,
  ]);
  const scale = node.float("scale", 0) || 1 / Math.sqrt(size);
  return joinHeads(ops, attend(ops, { query, key, value, scale, bias, softcap: 0 }).result);
}

function keyMaskBias(
  node: Node,
  ops: Ops,
  mask: Value,
  [batch, length, keys]: readonly [number, number, number],
  like: Value,
): Value {
  const shape = ops.shapeOf(mask).join();
  const axes = shape === `${batch},${keys}` ? [1, 2] : shape === `${batch},${length},${keys}` ? [1] : undefined;
  if (!axes) {
    throw new UnsupportedError(
      `${node.label}: the mask must be [${batch}, ${keys}] or [${batch}, ${length}, ${keys}], got [${shape}].`,
    );
  }
  const hidden = ops.sub(1, ops.cast(mask, like.dtype!));
  return ops.unsqueeze(ops.mul(hidden, node.float("mask_filter_value", -10000)), axes);
}

function refuseInputs(node: Node, inputs: readonly (readonly [index: number, name: string])[]): void {
  for (const [index, name] of inputs) {
    if (!node.inputs[index]) continue;
    throw new UnsupportedError(`${node.label}: ${name} must be absent to have a gradient, got one.`);
  }
}

/** What differs between ONNX's and ONNX Runtime's rotary embedding: where the operands are. */
interface RotaryOperands {
  readonly cosines: Value;
  readonly sines: Value;
  readonly positions: Value | undefined;
}

/**
 * Rotates pairs of channels by angles that depend on the position: (a, b) -> (a cos - b sin, a sin + b cos).
 *
 * Shapes: x [batch, heads, length, size] or [batch, length, heads * size]; caches [positions, pairs], or [batch, length, pairs]
 * without positions.
 */
function rotate(node: Node, ops: Ops, { cosines, sines, positions }: RotaryOperands): Value {
  const x = node.input(0);
  const shape = ops.shapeOf(x);
  const pairs = ops.shapeOf(cosines).at(-1)!;
  const given = node.int("rotary_embedding_dim", 0);
  const size = shape.length === 4 ? shape[3]! : shape[2]! / headCount(node, shape[2]!, given || 2 * pairs);
  // [batch, length, heads, size]
  const [batch, length] = shape.length === 4 ? [shape[0]!, shape[2]!] : [shape[0]!, shape[1]!];
  const split = shape.length === 4 ? ops.transpose(x, [0, 2, 1, 3]) : ops.reshape(x, [batch, length, -1, size]);
  const rotated = given || size;
  const [part, rest] = rotated < size ? ops.split(split, 3, [rotated, size - rotated]) : [split];
  const table = (cache: Value) => ops.unsqueeze(positions ? ops.gather(cache, positions) : cache, [2]);
  const [cos, sin] = [table(cosines), table(sines)];
  const turn = (a: Value, b: Value): [Value, Value] => [
    ops.sub(ops.mul(a, cos), ops.mul(b, sin)),
    ops.add(ops.mul(a, sin), ops.mul(b, cos)),
  ];
  const whole = [...ops.shapeOf(part!)];
  const interleaved = node.int("interleaved", 0) === 1;
  const halves = interleaved
    ? ops
        .split(ops.reshape(part!, [...whole.slice(0, 3), rotated / 2, 2]), 4, [1, 1])
        .map((half) => ops.squeeze(half, [4]))
    : ops.split(part!, 3, [rotated / 2, rotated / 2]);
  const [a, b] = turn(halves[0]!, halves[1]!);
  const joined = interleaved
    ? ops.reshape(ops.concat([ops.unsqueeze(a, [4]), ops.unsqueeze(b, [4])], 4), whole)
    : ops.concat([a, b], 3);
  const result = rest ? ops.concat([joined, rest], 3) : joined;
  return shape.length === 4 ? ops.transpose(result, [0, 2, 1, 3]) : ops.reshape(result, shape);
}

/** Number of heads of a [batch, length, hidden] operand; ONNX Runtime's operator may leave it to the caches' width. */
function headCount(node: Node, hidden: number, size: number): number {
  return node.int("num_heads", 0) || hidden / size;
}

const rotaryEmbedding: Decomposition = (node, ops) => [
  rotate(node, ops, { cosines: node.input(1), sines: node.input(2), positions: node.inputs[3] }),
];

/** ONNX Runtime's: (input, positions, cosines, sines); one position is that of the first element. */
const rotaryMicrosoft: Decomposition = (node, ops) => {
  const positions = node.input(1);
  const [cosines, sines] = [node.input(2), node.input(3)];
  if (ops.rankOf(positions) === 2) return [rotate(node, ops, { cosines, sines, positions })];
  const [first] = fixedNumbers(ops, node, 1, "position_ids");
  const shape = ops.shapeOf(node.input(0));
  const length = shape.length === 4 ? shape[2]! : shape[1]!;
  const ends = [first! + length];
  const cut = (cache: Value) => ops.unsqueeze(ops.slice(cache, { axes: [0], starts: [first!], ends }), [0]);
  return [rotate(node, ops, { cosines: cut(cosines), sines: cut(sines), positions: undefined })];
};

/** Attention and what belongs to it. */
export const attentions: Readonly<Record<string, Decomposition>> = {
  Attention: attention,
  "com.microsoft:MultiHeadAttention": multiHead,
  "com.microsoft:Attention": packed,
  RotaryEmbedding: rotaryEmbedding,
  "com.microsoft:RotaryEmbedding": rotaryMicrosoft,
};
