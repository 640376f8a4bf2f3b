/** What the weights of layers take in a file. */
import type { Layer } from "../../prepare/index.ts";
import { constantSize } from "../../program/index.ts";
import { byteLength } from "../../tensor/index.ts";
import { storedBits } from "../block-format.ts";
import { codeBytes } from "../lowering/pack-codes.ts";
import type { QuantizedLayer } from "../lowering/plan.ts";
import type { Target } from "../options.ts";
import type { QuantizedWeights } from "../quantized-weights.ts";

/** Returns the bytes of weights that stay in float, each counted once. */
export function floatBytes(layers: readonly Layer[]): number {
  const constants = new Set(layers.map(({ weight }) => weight.constant!));
  return [...constants].reduce((sum, constant) => sum + byteLength(constant.dtype, constantSize(constant)), 0);
}

/**
 * Returns the bytes of codes, scales and zero points, those that layers share counted once. Biases are as large at any width.
 *
 * Weights with a scale per channel take their own number of bits, but for the target `portable`, whose types have 4 or 8. Those
 * in blocks take 2, 4 or 8.
 */
export function quantizedBytes(layers: Iterable<QuantizedLayer>, target: Target): number {
  const stored = new Map<object, QuantizedWeights>();
  for (const { weights } of layers) stored.set(weights.codes, weights);
  return [...stored.values()].reduce((sum, weights) => sum + weightBytes(weights, target), 0);
}

function weightBytes(weights: QuantizedWeights, target: Target): number {
  const { bits, codes } = weights;
  if (weights.granularity === "channel") {
    const narrowest = target === "portable" ? (codes.length * (bits <= 4 ? 4 : 8)) / 8 : codeBytes(codes.length, bits);
    return narrowest + 4 * weights.grids.length;
  }
  const { rows, blocksPerRow, blockSize, scales, symmetric } = weights;
  const width = storedBits(bits);
  const zeroPoints = symmetric ? 0 : rows * Math.ceil((blocksPerRow * width) / 8);
  return (scales.length * blockSize * width) / 8 + 4 * scales.length + zeroPoints;
}
