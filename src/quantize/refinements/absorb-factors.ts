/** Where factors of a value's channels can go: into constants before it, so that nothing is computed that was not before. */
import { absorbAffine, fixedConstant, floatConstant, linearNode } from "../../prepare/index.ts";
import type { Graph, Node, Use, Value } from "../../program/index.ts";
import { toNumbers } from "../../tensor/index.ts";

/** Divides channels (the last axis) of a value by factors, [channels], by changing constants. */
export type DivideChannels = (factors: Float64Array) => void;

/** What is looked up on the way. */
export interface Surroundings {
  readonly graph: Graph;
  readonly uses: ReadonlyMap<Value, readonly Use[]>;
  /** Channels of the value. */
  readonly channels: number;
}

/** Which inputs of a normalization along the last axis are its scale and its shift. */
const NORMALIZATIONS: Readonly<Record<string, readonly [scale: number, shift: number]>> = {
  LayerNormalization: [1, 2],
  RMSNormalization: [1, 2],
  SimplifiedLayerNormalization: [1, 2],
  SkipLayerNormalization: [2, 3],
  SkipSimplifiedLayerNormalization: [2, 3],
};

/**
 * Returns what divides a value's channels, or undefined when no constants before it can take the factors exactly: the scale
 * and shift of a normalization, operator or primitive nodes, or the weights of a matrix product, also behind a product with
 * something else (gated feed-forward layers).
 *
 * Users of the value itself are for the caller to know; values before it must have no other users.
 */
export function channelDivider(value: Value, around: Surroundings): DivideChannels | undefined {
  const node = value.producer;
  if (!node || node.outputs[0] !== value) return undefined;
  if (Object.hasOwn(NORMALIZATIONS, node.operator)) return normalizationDivider(node, around);
  if (node.domain !== "") return undefined;
  switch (node.operator) {
    case "Mul":
      return (
        constantDivider(node, 1, around) ??
        constantDivider(node, 0, around) ??
        inputDivider(node, 1, around) ??
        inputDivider(node, 0, around)
      );
    case "Div":
      return inputDivider(node, 0, around);
    case "Add":
    case "Sub":
      return both(addendDivider(node, 0, around), addendDivider(node, 1, around));
    case "MatMul":
    case "Gemm":
      return linearDivider(node, around);
    default:
      return undefined;
  }
}

function both(a: DivideChannels | undefined, b: DivideChannels | undefined): DivideChannels | undefined {
  if (!a || !b) return undefined;
  return (factors) => {
    a(factors);
    b(factors);
  };
}

function addendDivider(node: Node, index: number, around: Surroundings): DivideChannels | undefined {
  return constantDivider(node, index, around) ?? inputDivider(node, index, around);
}

/** For a computed input that nobody else uses. */
function inputDivider(node: Node, index: number, around: Surroundings): DivideChannels | undefined {
  const input = node.inputs[index];
  if (!input || around.uses.get(input)?.length !== 1 || input.shape?.at(-1) !== around.channels) return undefined;
  return channelDivider(input, around);
}

/** For a constant input of one number, or of one for each channel. */
function constantDivider(node: Node, index: number, { graph, channels }: Surroundings): DivideChannels | undefined {
  const value = node.inputs[index];
  const constant = fixedConstant(value, graph);
  if (!value || constant?.dtype !== "float32") return undefined;
  const { shape } = constant;
  const last = shape.at(-1) ?? 1;
  if (!shape.slice(0, -1).every((length) => length === 1) || (last !== channels && last !== 1)) return undefined;
  return (factors) => {
    // What another place left there by now.
    const old = toNumbers(node.input(index).constant!.load());
    const divided = factors.map((factor, channel) => old[old.length === 1 ? 0 : channel]! / factor);
    node.inputs[index] = floatConstant(value.name, "float32", [...shape.slice(0, -1), channels], divided);
  };
}

function normalizationDivider(node: Node, around: Surroundings): DivideChannels | undefined {
  const axis = node.int("axis", -1);
  const rank = node.inputs[0]?.shape?.length;
  if (axis !== -1 && axis + 1 !== rank) return undefined;
  const [scaleIndex, shiftIndex] = NORMALIZATIONS[node.operator]!;
  const scale = constantDivider(node, scaleIndex, around);
  return node.inputs[shiftIndex] ? both(scale, constantDivider(node, shiftIndex, around)) : scale;
}

function linearDivider(node: Node, { graph, uses, channels }: Surroundings): DivideChannels | undefined {
  const linear = linearNode(node, graph);
  if (!linear || linear.channels !== channels || uses.get(linear.weight)?.length !== 1) return undefined;
  // A Gemm with another bias than one number per channel, or none that is constant, cannot be scaled.
  const bias = node.inputs[2];
  if (bias && fixedConstant(bias, graph)?.shape.at(-1) !== channels) return undefined;
  return (factors) => {
    const affine = { scale: factors.map((factor) => 1 / factor), shift: new Float64Array(channels) };
    // Its weights may have taken other factors by now.
    if (!absorbAffine(linearNode(node, graph)!, affine, graph))
      throw new Error(`internal: ${node.label} cannot take factors`);
  };
}
