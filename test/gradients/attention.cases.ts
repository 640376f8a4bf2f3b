/** Cases of attention and rotary embeddings. */
import type { Attributes } from "../../src/build/index.ts";
import { int64, Tensor } from "../../src/tensor/index.ts";
import { booleans, type Draw, type GradientCase, normal } from "./gradient-case.ts";

interface AttentionCase {
  readonly q?: readonly number[];
  readonly k?: readonly number[];
  readonly v?: readonly number[];
  readonly mask?: Draw | Tensor;
  /** Shapes of the keys and values of earlier runs. */
  readonly past?: readonly number[];
  readonly attributes?: Attributes;
  readonly outputs?: number;
  readonly second?: boolean;
}

function attentionCase(title: string, subject: AttentionCase): GradientCase {
  const {
    q = [1, 2, 3, 4],
    k = [1, 2, 3, 4],
    v = k,
    mask,
    past,
    attributes = {},
    outputs = 1,
    second = false,
  } = subject;
  return {
    title: `Attention ${title}`,
    covers: ["Attention"],
    inputs: [normal(q), normal(k), normal(v), ...(mask ? [mask] : []), ...(past ? [normal(past), normal(past)] : [])],
    build: (ops, query, key, value, ...rest) => {
      const inputs = [query, key, value, mask ? rest.shift() : undefined, ...rest];
      return ops.emitAll("Attention", inputs, outputs, attributes);
    },
    opset: 23,
    second,
  };
}

function microsoftCase(
  operator: "Attention" | "MultiHeadAttention",
  title: string,
  operands: readonly (Draw | Tensor | undefined)[],
  attributes: Attributes,
): GradientCase {
  return {
    title: `com.microsoft ${operator} ${title}`,
    covers: [`com.microsoft:${operator}`],
    inputs: operands.filter((operand) => operand !== undefined),
    build: (ops, ...values) => {
      const remaining = [...values];
      const inputs = operands.map((operand) => (operand ? remaining.shift() : undefined));
      return ops.emit(operator, inputs, { num_heads: 2, ...attributes }, { domain: "com.microsoft" });
    },
  };
}

function rotaryCase(
  title: string,
  shape: readonly number[],
  cache: readonly number[],
  attributes: Attributes,
  positions?: Tensor,
): GradientCase {
  return {
    title: `RotaryEmbedding ${title}`,
    covers: ["RotaryEmbedding"],
    inputs: [normal(shape), normal(cache), normal(cache), ...(positions ? [positions] : [])],
    build: (ops, ...operands) => ops.emit("RotaryEmbedding", operands, attributes),
    opset: 23,
  };
}

const int32 = (shape: readonly number[], values: readonly number[]) =>
  new Tensor("int32", shape, Int32Array.from(values));

/** Attention. */
export const attentionCases: readonly GradientCase[] = [
  attentionCase("of heads in an axis of their own", { second: true }),
  attentionCase("with a scale and values of another size", { v: [1, 2, 3, 2], attributes: { scale: 0.3 } }),
  attentionCase("of heads side by side", {
    q: [2, 3, 4],
    k: [2, 2, 4],
    attributes: { q_num_heads: 2, kv_num_heads: 2 },
  }),
  attentionCase("that sees earlier keys alone", { attributes: { is_causal: 1 } }),
  attentionCase("that sees earlier keys alone, with more keys than queries", {
    q: [1, 2, 2, 4],
    attributes: { is_causal: 1 },
  }),
  attentionCase("with a mask that is added", { mask: normal([3, 3]) }),
  attentionCase("with a mask for each head that is added", { mask: normal([1, 2, 3, 3]) }),
  attentionCase("with a mask of booleans", { mask: booleans([3, 3], [1, 0, 1, 1, 1, 0, 0, 0, 1]) }),
  attentionCase("with limited scores", { attributes: { softcap: 1.5 } }),
  attentionCase("with limited scores and a mask", { attributes: { softcap: 1.5 }, mask: normal([3, 3]) }),
  attentionCase("with limited scores that sees earlier keys alone", { attributes: { softcap: 1.5, is_causal: 1 } }),
  attentionCase("of four query heads that share two key heads", { q: [1, 4, 2, 3], k: [1, 2, 3, 3] }),
  attentionCase("of query heads side by side that share one key head", {
    q: [1, 3, 8],
    k: [1, 3, 4],
    attributes: { q_num_heads: 2, kv_num_heads: 1, is_causal: 1 },
  }),
  attentionCase("after earlier keys and values", {
    q: [1, 2, 2, 3],
    k: [1, 2, 2, 3],
    past: [1, 2, 3, 3],
    outputs: 3,
    attributes: { is_causal: 1 },
  }),
  ...[0, 1, 2, 3].map((mode) =>
    attentionCase(`whose scores at stage ${mode} are used`, {
      mask: normal([3, 3]),
      past: [1, 2, 1, 4],
      k: [1, 2, 2, 4],
      outputs: 4,
      attributes: { qk_matmul_output_mode: mode, softcap: 2.5 },
    }),
  ),
  {
    title: "Attention of keys that are computed from the queries",
    covers: ["Attention"],
    inputs: [normal([1, 1, 3, 2])],
    build: (ops, x) => ops.emit("Attention", [x, ops.square(x), ops.tanh(x)]),
    opset: 23,
  },
  {
    title: "Attention of one tensor by itself",
    covers: ["Attention"],
    inputs: [normal([1, 1, 3, 2])],
    build: (ops, x) => ops.emit("Attention", [x, x, x]),
    opset: 23,
  },
  microsoftCase(
    "MultiHeadAttention",
    "of three operands",
    [normal([1, 3, 4]), normal([1, 2, 4]), normal([1, 2, 4])],
    {},
  ),
  microsoftCase(
    "MultiHeadAttention",
    "with biases, scale and a bias of scores",
    [normal([1, 3, 4]), normal([1, 2, 4]), normal([1, 2, 4]), normal([12]), undefined, normal([1, 2, 3, 2])],
    { scale: 0.4 },
  ),
  microsoftCase(
    "MultiHeadAttention",
    "with a mask of keys, that sees earlier keys alone",
    [normal([2, 3, 4]), normal([2, 3, 4]), normal([2, 3, 4]), undefined, int32([2, 3], [1, 1, 0, 1, 1, 1])],
    { unidirectional: 1 },
  ),
  microsoftCase("Attention", "of packed weights", [normal([1, 3, 3]), normal([3, 12]), normal([12])], {}),
  microsoftCase(
    "Attention",
    "with a mask of keys, that sees earlier keys alone",
    [normal([2, 3, 2]), normal([2, 12]), normal([12]), int32([2, 3], [1, 1, 0, 1, 1, 1])],
    { unidirectional: 1 },
  ),
  rotaryCase("of heads in an axis of their own", [1, 2, 3, 4], [5, 2], {}, int64([4, 0, 2], [1, 3])),
  rotaryCase(
    "of heads side by side, pairs interleaved",
    [1, 3, 8],
    [5, 2],
    { num_heads: 2, interleaved: 1 },
    int64([1, 2, 3], [1, 3]),
  ),
  rotaryCase("of a part of the channels", [1, 2, 3, 6], [5, 2], { rotary_embedding_dim: 4 }, int64([4, 0, 2], [1, 3])),
  rotaryCase("without positions", [2, 2, 3, 4], [2, 3, 2], { interleaved: 1 }),
  {
    title: "com.microsoft RotaryEmbedding with positions",
    covers: ["com.microsoft:RotaryEmbedding"],
    inputs: [normal([1, 3, 8]), int64([2, 0, 1], [1, 3]), normal([4, 2]), normal([4, 2])],
    build: (ops, ...operands) => ops.emit("RotaryEmbedding", operands, { num_heads: 2 }, { domain: "com.microsoft" }),
  },
  {
    title: "com.microsoft RotaryEmbedding with the position of the first element",
    covers: ["com.microsoft:RotaryEmbedding"],
    inputs: [normal([1, 2, 3, 4]), normal([4, 2]), normal([4, 2])],
    build: (ops, x, cosines, sines) =>
      ops.emit("RotaryEmbedding", [x, ops.constant(int64([1])), cosines, sines], {}, { domain: "com.microsoft" }),
  },
];
