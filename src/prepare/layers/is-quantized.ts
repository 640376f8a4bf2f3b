/** Recognizing models that have been quantized before. */
import type { Program } from "../../program/index.ts";

const QUANTIZED =
  /^(Q(Linear|Gemm|Attention|MoE|EmbedLayerNorm|uantizeLinear)|DequantizeLinear|Dynamic(Quantize|Q)|(Conv|MatMul)Integer|MatMul(NBits|Bnb4|FpQ4)|GatherBlockQuantized|QOrdered)/;

/** Returns whether a program holds quantized weights or computes with quantized numbers, in sub-graphs too. */
export function isQuantized(program: Program): boolean {
  return [...program.allNodes()].some(
    (node) => (node.domain === "" || node.domain === "com.microsoft") && QUANTIZED.test(node.operator),
  );
}
