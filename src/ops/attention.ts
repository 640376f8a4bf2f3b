/** Attention: ONNX's own and ONNX Runtime's. */
import { type Dimension, type Node, type Shape, staticShape } from "../program/index.ts";
import { elementCount } from "../tensor/index.ts";
import { addDimensions, divideDimensions, multiplyDimensions } from "./dimension.ts";
import { type Fact, family, type InferenceContext, MICROSOFT, type Operator } from "./operator.ts";
import { assertRank } from "./shape-check.ts";

/** [batch, heads, length, size] of queries, keys or values given so or as [batch, length, heads * size]. */
type HeadShape = readonly [Dimension, Dimension, Dimension, Dimension];

function headShape(shape: Shape | undefined, heads: number | undefined): HeadShape | undefined {
  if (shape?.length === 4) return [shape[0]!, shape[1]!, shape[2]!, shape[3]!];
  if (shape?.length !== 3 || heads === undefined) return undefined;
  return [shape[0]!, heads, shape[1]!, divideDimensions(shape[2]!, heads)];
}

/** Attention (operator set 23): (Q, K, V, mask, past_key, past_value) -> Y, present_key, present_value, scores. */
function inferAttention(node: Node, context: InferenceContext): readonly (Fact | undefined)[] {
  const { dtype, shape } = context.input(0);
  const query = headShape(shape, node.int("q_num_heads"));
  const key = headShape(context.input(1).shape, node.int("kv_num_heads"));
  const value = headShape(context.input(2).shape, node.int("kv_num_heads"));
  if (!shape || !query || !key || !value) return [{ dtype }];
  const past = node.inputs[4] ? (context.input(4).shape?.[2] ?? null) : 0;
  const total = addDimensions(past, key[2]);
  const [batch, heads, length] = query;
  const joined: Shape = [batch, length, multiplyDimensions(heads, value[3])];
  return [
    { dtype, shape: shape.length === 4 ? [batch, heads, length, value[3]] : joined },
    { dtype: context.input(1).dtype, shape: [key[0], key[1], total, key[3]] },
    { dtype: context.input(2).dtype, shape: [value[0], value[1], total, value[3]] },
    { dtype, shape: [batch, heads, length, total] },
  ];
}

/** Scores and weighted sums: one product each per query, key and channel. */
function countAttention(node: Node): number | undefined {
  const query = headShape(staticShape(node.input(0)), node.int("q_num_heads"));
  const output = headShape(staticShape(node.output()), node.int("q_num_heads"));
  const key = headShape(staticShape(node.input(1)), node.int("kv_num_heads"));
  const past = node.inputs[4] ? staticShape(node.inputs[4])?.[2] : 0;
  if (!query || !output || !key || past === undefined) return undefined;
  const total = (key[2] as number) + past;
  return elementCount([...(query.slice(0, 3) as number[]), total]) * ((query[3] as number) + (output[3] as number));
}

/** MultiHeadAttention: (query [batch, length, hidden], key, value, ...); packed operands are left unknown. */
function inferMultiHead(node: Node, context: InferenceContext): readonly (Fact | undefined)[] {
  const { dtype, shape } = context.input(0);
  const heads = node.int("num_heads");
  const query = shape?.length === 3 ? headShape(shape, heads) : undefined;
  const key = headShape(context.input(1).shape, heads);
  const value = headShape(context.input(2).shape, heads);
  if (!query || !key || !value) return [{ dtype }];
  const past = node.inputs[6] ? (context.input(6).shape?.[2] ?? null) : 0;
  const total = addDimensions(past, key[2]);
  return [
    { dtype, shape: [query[0], query[2], multiplyDimensions(query[1], value[3])] },
    { dtype, shape: [query[0], query[1], total, key[3]] },
    { dtype, shape: [query[0], query[1], total, value[3]] },
  ];
}

function countMultiHead(node: Node): number | undefined {
  const heads = node.int("num_heads");
  const query = headShape(staticShape(node.input(0)), heads);
  const key = node.inputs[1] && headShape(staticShape(node.inputs[1]), heads);
  const output = headShape(staticShape(node.output()), heads);
  const past = node.inputs[6] ? staticShape(node.inputs[6])?.[2] : 0;
  if (!query || !key || !output || past === undefined) return undefined;
  const total = (key[2] as number) + past;
  return elementCount([...(query.slice(0, 3) as number[]), total]) * ((query[3] as number) + (output[3] as number));
}

/**
 * GroupQueryAttention: (query [batch, length, hidden], key, value, past_key, past_value, ...); the length of the present
 * keys depends on numbers known only when it runs.
 */
function inferGroupQuery(node: Node, context: InferenceContext): readonly (Fact | undefined)[] {
  const { dtype, shape } = context.input(0);
  const [heads, keyHeads] = [node.int("num_heads", 1), node.int("kv_num_heads", 1)];
  if (shape?.length !== 3) return [{ dtype }];
  const packed = node.inputs[1] === undefined;
  const size = divideDimensions(shape[2]!, packed ? heads + 2 * keyHeads : heads);
  const present: Fact = { dtype: context.input(3).dtype ?? dtype, shape: [shape[0]!, keyHeads, null, size] };
  return [{ dtype, shape: [shape[0]!, shape[1]!, multiplyDimensions(size, heads)] }, present, present];
}

/** Counts the queries against the keys of this run only, as for a prompt: past keys are not in the shapes. */
function countGroupQuery(node: Node): number | undefined {
  const output = staticShape(node.output());
  if (!output) return undefined;
  return 2 * elementCount(output) * output[1]!;
}

/** Attention of ONNX Runtime: (input [batch, length, in], weights [in, 3 * hidden], bias, ...). */
function inferPacked(node: Node, context: InferenceContext, dtype: Fact["dtype"]): readonly (Fact | undefined)[] {
  const input = context.input(0).shape;
  assertRank(node, "input", input, 3);
  const sizes = node.ints("qkv_hidden_sizes");
  const width = context.input(1).shape?.[1] ?? null;
  const hidden = sizes ? (sizes[2] ?? null) : divideDimensions(width, 3);
  const heads = node.int("num_heads", 1);
  const past = node.inputs[4] && node.operator === "Attention" ? (context.input(4).shape?.[3] ?? null) : 0;
  if (!input || node.operator !== "Attention") return [{ dtype, shape: input && [input[0]!, input[1]!, hidden] }];
  const present = [2, input[0]!, heads, addDimensions(past, input[1]!), divideDimensions(hidden, heads)];
  return [
    { dtype, shape: [input[0]!, input[1]!, hidden] },
    { dtype, shape: present },
  ];
}

/** The projection of the input, then scores and weighted sums over the lengths of this run. */
function countPacked(node: Node): number | undefined {
  const input = staticShape(node.input(0));
  const width = staticShape(node.input(1))?.[1];
  const output = staticShape(node.output());
  if (!input || !output || width === undefined) return undefined;
  return elementCount(input) * width + 2 * elementCount(output) * input[1]!;
}

/** Attention operators. */
export const attention: readonly Operator[] = [
  ...family(["Attention"], { since: 23, infer: inferAttention, macs: countAttention }),
  ...family(["MultiHeadAttention"], { domain: MICROSOFT, infer: inferMultiHead, macs: countMultiHead }),
  ...family(["GroupQueryAttention"], { domain: MICROSOFT, infer: inferGroupQuery, macs: countGroupQuery }),
  ...family(["Attention"], {
    domain: MICROSOFT,
    infer: (node, context) => inferPacked(node, context, context.input(0).dtype),
    macs: countPacked,
  }),
  ...family(["QAttention"], {
    domain: MICROSOFT,
    infer: (node, context) => inferPacked(node, context, context.input(3).dtype),
    macs: countPacked,
  }),
];
