/** Layers with block-wise weights: MatMulNBits and GatherBlockQuantized of ONNX Runtime. */
import { type Emitter, Node, type Value } from "../../program/index.ts";
import { float32, int64, Tensor } from "../../tensor/index.ts";
import { storedBits } from "../block-format.ts";
import type { BlockWeights } from "../block-weights.ts";
import { packCodes, packZeroPoints } from "./pack-blocks.ts";
import type { QuantizedLayer } from "./plan.ts";
import { constantOnce, floatBias } from "./weight-constants.ts";

const MICROSOFT = "com.microsoft";

/**
 * Products with activations rounded to int8 inside the kernel: the only fast path ONNX Runtime has for single rows on the
 * CPU. Ignored where activations are wanted in full precision (WebGPU).
 */
const INT8_PRODUCTS = 4;

type Blocks = QuantizedLayer<BlockWeights>;

/** Writes a MatMul or Gemm as MatMulNBits: floats in, floats out. */
export function matMulInBlocks(quantized: Blocks, emitter: Emitter): void {
  const { layer, weights } = quantized;
  const bits = storedBits(weights.bits);
  const inputs = [
    layer.input,
    codesConstant(emitter, quantized, [weights.rows, weights.blocksPerRow, (weights.blockSize * bits) / 8]),
    scalesConstant(emitter, quantized),
    zeroPointsConstant(emitter, quantized),
    undefined,
    floatBias(emitter, quantized),
  ];
  const attributes = {
    K: weights.rowLength,
    N: weights.rows,
    bits,
    block_size: weights.blockSize,
    accuracy_level: INT8_PRODUCTS,
  };
  emitter.append(
    new Node("MatMulNBits", withoutTrailing(inputs), [layer.output], {
      domain: MICROSOFT,
      name: layer.node.name,
      attributes,
    }),
  );
}

/** Writes an embedding as GatherBlockQuantized: only the rows looked up are dequantized. */
export function embeddingInBlocks(quantized: Blocks, emitter: Emitter): void {
  const { layer, weights } = quantized;
  const bits = storedBits(weights.bits);
  const bytesPerRow = (weights.blocksPerRow * weights.blockSize * bits) / 8;
  const table = codesConstant(emitter, quantized, [weights.rows, bytesPerRow]);
  const inputs = [table, layer.input, scalesConstant(emitter, quantized), zeroPointsConstant(emitter, quantized)];
  const attributes = { bits, block_size: weights.blockSize, gather_axis: 0, quantize_axis: 1 };
  emitter.append(
    new Node("GatherBlockQuantized", withoutTrailing(inputs), [layer.output], {
      domain: MICROSOFT,
      name: layer.node.name,
      attributes,
    }),
  );
}

function withoutTrailing(inputs: readonly (Value | undefined)[]): readonly (Value | undefined)[] {
  return inputs.slice(0, inputs.findLastIndex((input) => input !== undefined) + 1);
}

/**
 * The codes, in the shape that an operator wants. A table that is also a matrix of products (tied embeddings) is stored once;
 * the second user reshapes it, which ONNX Runtime does when it loads the model.
 */
function codesConstant(emitter: Emitter, { layer, weights }: Blocks, shape: readonly number[]): Value {
  const stored = constantOnce(weights.codes, () =>
    emitter.constant(`${layer.weight.name}_quantized`, new Tensor("uint8", shape, packCodes(weights))),
  );
  if (stored.constant!.shape.join() === shape.join()) return stored;
  return emitter.emit("Reshape", [stored, emitter.constant("table_shape", int64(shape))], {
    output: `${layer.weight.name}_reshaped`,
    dtype: "uint8",
    shape,
  });
}

function scalesConstant(emitter: Emitter, { layer, weights }: Blocks): Value {
  return constantOnce(weights.scales, () =>
    emitter.constant(`${layer.weight.name}_scale`, float32([weights.rows, weights.blocksPerRow], weights.scales)),
  );
}

function zeroPointsConstant(emitter: Emitter, { layer, weights }: Blocks): Value | undefined {
  if (weights.symmetric) return undefined;
  return constantOnce(weights.zeroPoints, () => {
    const packed = packZeroPoints(weights);
    const shape = [weights.rows, packed.length / weights.rows];
    return emitter.constant(`${layer.weight.name}_zero_point`, new Tensor("uint8", shape, packed));
  });
}
