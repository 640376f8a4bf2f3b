/** Which nodes of a network are products that have a quantized form, and what their operands are. */
import type { Node, Value } from "../program/index.ts";
import type { OperandRole } from "./bifurcation.ts";

/** A node with operands to quantize. */
export interface Product {
  readonly node: Node;
  readonly roles: readonly OperandRole[];
  /** Axis of the weight that counts output channels. */
  readonly channelAxis: number;
}

const PRODUCTS = new Set(["Conv", "MatMul", "Gemm"]);

/** Operators that multiply by weights too, but have no quantized form. */
const WITHOUT_FORM = new Set([
  "ConvTranspose", "LSTM", "GRU", "RNN", "Einsum", "com.microsoft:Attention", "com.microsoft:MultiHeadAttention",
  "com.microsoft:FusedMatMul", "DeformConv", "Attention",
]); // biome-ignore format: a table

/** The products among nodes, in their order, and the nodes that stay in float because they have no quantized form. */
export function findProducts(
  nodes: readonly Node[],
  isParameter: (value: Value) => boolean,
): { readonly products: readonly Product[]; readonly float: readonly Node[] } {
  const weights = new Set<Value>();
  const isWeight = (value: Value | undefined): boolean =>
    value === undefined || weights.has(value) || isParameter(value) || value.constant !== undefined;
  const products: Product[] = [];
  const float: Node[] = [];
  for (const node of nodes) {
    const operands = node.inputs.filter((input) => input !== undefined);
    if (operands.length > 0 && operands.every(isWeight)) {
      for (const output of node.outputs) if (output) weights.add(output);
      continue;
    }
    const key = node.domain ? `${node.domain}:${node.operator}` : node.operator;
    if (WITHOUT_FORM.has(key)) float.push(node);
    if (node.domain !== "" || !PRODUCTS.has(node.operator)) continue;
    const roles = node.inputs.map(
      (input, index): OperandRole => (index === 2 ? "bias" : isWeight(input) ? "weight" : "data"),
    );
    products.push({ node, roles, channelAxis: channelAxisOf(node) });
  }
  // What comes behind the last weights is loss and metrics.
  const last = products.findLastIndex(({ roles }) => roles.includes("weight"));
  return { products: products.slice(0, last + 1), float };
}

/** Output channels: the first axis of kernels and of transposed matrices, the last of other matrices. */
function channelAxisOf(node: Node): number {
  if (node.operator === "Conv" || (node.operator === "Gemm" && node.int("transB", 0) === 1)) return 0;
  return node.inputs[1]!.shape!.length - 1;
}
