/** Whether a layer's bias is what quantization takes it for: one constant number per output channel. */
import type { Layer } from "../prepare/index.ts";

/**
 * Returns whether a layer has no bias, or a constant one that differs along the output channels only. A Gemm may add any
 * matrix instead, and any layer a bias computed at run time: these stay as they are, and so does the layer's arithmetic.
 */
export function hasChannelBias({ bias }: Layer): boolean {
  if (!bias) return true;
  return bias.constant?.shape.slice(0, -1).every((length) => length === 1) ?? false;
}
