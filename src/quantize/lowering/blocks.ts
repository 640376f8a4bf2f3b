/** Layers with block-wise weights: MatMulNBits and GatherBlockQuantized of ONNX Runtime. */
import { type Emitter, Node, type Value } from "../../program/index.ts";
import { float32, Tensor } from "../../tensor/index.ts";
import { BLOCK_SIZE, type BlockWeights } from "../block-weights.ts";
import type { QuantizedLayer } from "./plan.ts";
import { constantOnce, floatBias } from "./weight-constants.ts";

const MICROSOFT = "com.microsoft";

/**
 * Products with activations rounded to int8 inside the kernel: the only fast path ONNX Runtime has for single rows on the
 * CPU. Ignored where activations are wanted in full precision (WebGPU).
 */
const INT8_PRODUCTS = 4;

/** Writes a MatMul as MatMulNBits: floats in, floats out. */
export function matMulInBlocks(quantized: QuantizedLayer<BlockWeights>, emitter: Emitter): void {
  const { layer, weights } = quantized;
  const blockBytes = (BLOCK_SIZE * weights.storedBits) / 8;
  const inputs = [
    layer.input,
    blockConstant(emitter, quantized, [weights.rows, weights.blocksPerRow, blockBytes]),
    scalesConstant(emitter, quantized),
    undefined,
    undefined,
    floatBias(emitter, quantized),
  ];
  const attributes = {
    K: weights.rowLength,
    N: weights.rows,
    bits: weights.storedBits,
    block_size: BLOCK_SIZE,
    accuracy_level: INT8_PRODUCTS,
  };
  const last = inputs[5] ? inputs : inputs.slice(0, 3);
  emitter.append(
    new Node("MatMulNBits", last, [layer.output], { domain: MICROSOFT, name: layer.node.name, attributes }),
  );
}

/** Writes an embedding as GatherBlockQuantized: only the rows looked up are dequantized. */
export function embeddingInBlocks(quantized: QuantizedLayer<BlockWeights>, emitter: Emitter): void {
  const { layer, weights } = quantized;
  const bytesPerRow = (weights.blocksPerRow * BLOCK_SIZE * weights.storedBits) / 8;
  const table = blockConstant(emitter, quantized, [weights.rows, bytesPerRow]);
  const inputs = [table, layer.input, scalesConstant(emitter, quantized)];
  const attributes = { bits: weights.storedBits, block_size: BLOCK_SIZE, gather_axis: 0, quantize_axis: 1 };
  emitter.append(
    new Node("GatherBlockQuantized", inputs, [layer.output], { domain: MICROSOFT, name: layer.node.name, attributes }),
  );
}

function blockConstant(emitter: Emitter, { layer, weights }: QuantizedLayer<BlockWeights>, shape: number[]): Value {
  return constantOnce(weights.packed, () =>
    emitter.constant(`${layer.weight.name}_quantized`, new Tensor("uint8", shape, weights.packed)),
  );
}

function scalesConstant(emitter: Emitter, { layer, weights }: QuantizedLayer<BlockWeights>): Value {
  return constantOnce(weights.scales, () =>
    emitter.constant(`${layer.weight.name}_scale`, float32([weights.rows, weights.blocksPerRow], weights.scales)),
  );
}
