/** Layers that compute in float with weights that are stored as integers. */
import { floatTensor } from "../../prepare/index.ts";
import { constantValue, type Emitter, type Node, type Value } from "../../program/index.ts";
import type { ChannelWeights } from "../quantized-weights.ts";
import { embeddingInBlocks, matMulInBlocks } from "./blocks.ts";
import type { IntegerEmitter } from "./integer-emitter.ts";
import type { QuantizedLayer } from "./plan.ts";
import { type BiasedLayer, dequantizedWeights, shiftedBias } from "./weight-constants.ts";

/** Emits the weights of a layer as floats. */
export type WeightWriter = (emitter: Emitter, quantized: QuantizedLayer<ChannelWeights>) => Value;

/**
 * Writes a node's layers with their inputs in float; nodes it makes superfluous are added to `written`.
 *
 * @param writeWeights How weights per channel become floats. Default: by DequantizeLinear.
 */
export function emitWeightOnly(
  layers: readonly QuantizedLayer[],
  integers: IntegerEmitter,
  written: Set<Node>,
  writeWeights: WeightWriter = dequantizedWeights,
): void {
  const [quantized] = layers as readonly [QuantizedLayer];
  const { layer, weights } = quantized;
  const { emitter } = integers;
  integers.float(layer.input);
  if (weights.granularity === "channel") {
    for (const one of layers) {
      if (one.weights.granularity === "channel") {
        useWeights(one, writeWeights(emitter, { ...one, weights: one.weights }), emitter);
      }
    }
    integers.keep(layer.node);
  } else if (layer.kind === "embedding") embeddingInBlocks({ ...quantized, weights }, emitter);
  else {
    matMulInBlocks({ ...quantized, weights }, emitter);
    if (layer.biasNode) written.add(layer.biasNode);
  }
}

/**
 * Makes a layer read other weights and its shifted bias; its node stays where it is.
 *
 * A MatMul without a bias keeps having none: there is no place for a shift in it.
 */
export function useWeights(quantized: BiasedLayer, weights: Value, emitter: Emitter): void {
  const { layer, biasShift } = quantized;
  layer.node.inputs[layer.weightIndex] = weights;
  if (!biasShift) return;
  const bias = shiftedBias(quantized)!;
  if (layer.biasNode) {
    const shape = layer.bias!.constant!.shape;
    const broadcast = shape.at(-1) === bias.length ? shape : [bias.length];
    const shifted = constantValue(layer.bias!.name, floatTensor(layer.weight.dtype!, broadcast, bias));
    layer.biasNode.inputs[layer.biasNode.inputs.indexOf(layer.bias)] = shifted;
  } else if (layer.kind !== "matmul") {
    const name = layer.bias?.name ?? `${layer.weight.name}_bias`;
    layer.node.inputs[2] = emitter.constant(name, floatTensor(layer.weight.dtype!, [bias.length], bias));
  }
}
