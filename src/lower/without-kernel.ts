/** Operators that ONNX Runtime has no kernel for, on a device or in an element type, written as simpler ones. */
import { decompositions } from "../build/index.ts";
import type { Node } from "../program/index.ts";
import type { Lowering } from "./lowering.ts";

/** Operators with decompositions whose kernels on CPU are in float32 only (ONNX Runtime 1.30). */
const FLOAT32_ONLY: ReadonlySet<string> = new Set([
  "Attention",
  "AveragePool",
  "Col2Im",
  "GRU",
  "GlobalAveragePool",
  "GlobalLpPool",
  "GlobalMaxPool",
  "LSTM",
  "LpPool",
  "MaxUnpool",
  "RNN",
  "Resize",
  "RotaryEmbedding",
  "com.microsoft:Attention",
  "com.microsoft:EmbedLayerNormalization",
  "com.microsoft:MultiHeadAttention",
  "com.microsoft:RotaryEmbedding",
]);

/** Operators with decompositions that run on CPU and not on WebGPU. */
const NOT_ON_WEBGPU: ReadonlySet<string> = new Set([
  "AffineGrid",
  "Col2Im",
  "DFT",
  "GlobalLpPool",
  "LpPool",
  "MaxUnpool",
  "STFT",
]);

/** Writes a node as simpler ones if the device could not run it as it is. */
export const withoutKernel: Lowering = (node, ops, { device }) => {
  const key = keyOf(node);
  const lacks = device === "webgpu" ? NOT_ON_WEBGPU.has(key) : isFloat64(node) && FLOAT32_ONLY.has(key);
  return lacks ? decompositions[key]!(node, ops) : undefined;
};

function isFloat64(node: Node): boolean {
  return node.outputs.some((output) => output?.dtype === "float64");
}

/** How a node's operator is written in the tables of lowerings: `Conv`, `com.microsoft:Gelu`. */
export function keyOf({ domain, operator }: Node): string {
  return domain === "" ? operator : `${domain}:${operator}`;
}
