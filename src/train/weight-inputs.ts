/** Which constants of somebody else's model are weights: numbers that were trained, and may be trained further. */
import type { Node, Program, Use, Value } from "../program/index.ts";
import { elementCount, isFloat } from "../tensor/index.ts";

/** Inputs that hold weights, by operator. */
const WEIGHT_INPUTS: Readonly<Record<string, readonly number[]>> = {
  Conv: [1, 2],
  ConvTranspose: [1, 2],
  Gemm: [1, 2],
  MatMul: [0, 1],
  Gather: [0],
  PRelu: [1],
  BatchNormalization: [1, 2],
  InstanceNormalization: [1, 2],
  LayerNormalization: [1, 2],
  GroupNormalization: [1, 2],
  RMSNormalization: [1],
  SimplifiedLayerNormalization: [1],
  SkipLayerNormalization: [2, 3, 4],
  LSTM: [1, 2, 3, 7],
  GRU: [1, 2, 3],
  RNN: [1, 2, 3],
  BiasGelu: [1],
  FusedMatMul: [0, 1],
};

/** Movements that a weight may pass before it is used. */
const MOVEMENTS = new Set(["Transpose", "Reshape", "Unsqueeze", "Squeeze", "Identity", "Cast"]);

/** Operators whose result a constant with one axis is added to as a bias, or scales as a normalization's gain. */
const BEFORE_BIAS = new Set(["MatMul", "Conv", "ConvTranspose", "Add", "Mul", "Div", "Reshape", "Einsum"]);

/**
 * Returns the constants of the main graph that are weights: float tensors used where an operator takes weights, or added to
 * or multiplied with a layer's result as a bias or gain. Running statistics, scales of preprocessing and scalars are none.
 */
export function weightsOf(program: Program): Value[] {
  const uses = program.graph.uses();
  const isWeight = (value: Value, depth = 0): boolean =>
    (uses.get(value) ?? []).some(({ node, index }: Use) => {
      if (!node) return false;
      if (WEIGHT_INPUTS[node.operator]?.includes(index)) return true;
      if (MOVEMENTS.has(node.operator) && index === 0 && depth < 4) return isWeight(node.output(), depth + 1);
      return isBiasOrGain(node, index, value);
    });
  const constants = new Set<Value>();
  for (const node of program.allNodes()) for (const input of node.inputs) if (input?.constant) constants.add(input);
  return [...constants].filter(
    (value) => isFloat(value.constant!.dtype) && elementCount(value.constant!.shape) > 1 && isWeight(value),
  );
}

function isBiasOrGain(node: Node, index: number, value: Value): boolean {
  if ((node.operator !== "Add" && node.operator !== "Mul") || value.constant === undefined) return false;
  const other = node.inputs[1 - index]?.producer;
  const lengths = value.constant.shape.filter((length) => length > 1);
  return other !== undefined && BEFORE_BIAS.has(other.operator) && lengths.length === 1;
}
