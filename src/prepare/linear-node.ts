/** Nodes that are linear in their input with constant weights, and folding a per-channel scale and shift into them. */
import { type Constant, constantSize, type Graph, type Node, type Use, type Value } from "../program/index.ts";
import { isFloat, toNumbers } from "../tensor/index.ts";
import { fixedConstant, floatConstant } from "./fixed-constant.ts";

/** `y = scale * x + shift`, one pair per output channel. */
export interface ChannelAffine {
  readonly scale: Float64Array;
  readonly shift: Float64Array;
}

/** A Conv, ConvTranspose, Gemm or MatMul with constant float weights (and bias). */
export interface LinearNode {
  readonly node: Node;
  readonly weight: Value;
  readonly constant: Constant;
  /** Output channels, all groups together. */
  readonly channels: number;
  /** Rank of the output (the least it can be where it is not known), and which of its axes holds the channels. */
  readonly rank: number;
  readonly channelAxis: number;
  /**
   * How the weights lie: as [blocks, before, channels / blocks, after], where output channel c is entry
   * (c mod (channels / blocks)) of block floor(c / (channels / blocks)). Blocks are the groups of a transposed convolution.
   */
  readonly layout: { readonly blocks: number; readonly before: number; readonly after: number };
}

/** Describes a node when it is linear with constant weights; undefined otherwise. */
export function linearNode(node: Node | undefined, graph: Graph): LinearNode | undefined {
  if (node?.domain !== "") return undefined;
  const weight = node.inputs[1];
  const constant = fixedConstant(weight, graph);
  if (!weight || !constant || !isFloat(constant.dtype) || constantSize(constant) === 0) return undefined;
  const { shape } = constant;
  const size = constantSize(constant);
  const common = { node, weight, constant };
  if (node.operator === "Conv" && shape.length >= 3) {
    const channels = shape[0]!;
    const layout = { blocks: 1, before: 1, after: size / channels };
    return { ...common, channels, rank: shape.length, channelAxis: 1, layout };
  }
  if (node.operator === "ConvTranspose" && shape.length >= 3) {
    const groups = node.int("group", 1);
    const before = shape[0]! / groups;
    const layout = { blocks: groups, before, after: size / (shape[0]! * shape[1]!) };
    return { ...common, channels: shape[1]! * groups, rank: shape.length, channelAxis: 1, layout };
  }
  if (shape.length !== 2) return undefined;
  const transposed = node.operator === "Gemm" && node.int("transB", 0) === 1;
  const channels = shape[transposed ? 0 : 1]!;
  const layout = transposed ? { blocks: 1, before: 1, after: shape[1]! } : { blocks: 1, before: shape[0]!, after: 1 };
  if (node.operator === "Gemm") return { ...common, channels, rank: 2, channelAxis: 1, layout };
  if (node.operator !== "MatMul") return undefined;
  const rank = node.inputs[0]?.shape?.length ?? 1;
  return { ...common, channels, rank, channelAxis: rank - 1, layout };
}

/** Describes the linear node that computes `value` when nobody else uses its output, so that it may be changed. */
export function soleLinearProducer(
  value: Value | undefined,
  graph: Graph,
  uses: ReadonlyMap<Value, readonly Use[]>,
): LinearNode | undefined {
  if (!value || uses.get(value)?.length !== 1) return undefined;
  return linearNode(value.producer, graph);
}

/** Returns whether a constant has one number, or one for each output channel, when combined with a linear node's output. */
export function isPerChannel(constant: Constant, linear: LinearNode): boolean {
  const offset = linear.rank - constant.shape.length;
  return (
    isFloat(constant.dtype) &&
    offset >= 0 &&
    constant.shape.every(
      (length, axis) => length === 1 || (axis + offset === linear.channelAxis && length === linear.channels),
    )
  );
}

/**
 * Returns a constant's number for each output channel when it is combined elementwise with a linear node's output;
 * undefined when it varies along another axis, or would make the output larger.
 */
export function channelNumbers(constant: Constant | undefined, linear: LinearNode): Float64Array | undefined {
  if (!constant || !isPerChannel(constant, linear)) return undefined;
  const numbers = toNumbers(constant.load());
  return numbers.length === linear.channels ? numbers : new Float64Array(linear.channels).fill(numbers[0]!);
}

/**
 * Folds `y = scale * x + shift` of a linear node's output into its weights and bias, as new constants (others may share the
 * old ones). Returns false, and changes nothing, when the bias is not constant, a number is not finite, or a MatMul, which
 * has no bias, would need one.
 */
export function absorbAffine(linear: LinearNode, affine: ChannelAffine, graph: Graph): boolean {
  const { node, weight, constant, channels } = linear;
  if (![...affine.scale, ...affine.shift].every(Number.isFinite)) return false;
  const shiftsNothing = affine.shift.every((number) => number === 0);
  if (node.operator === "MatMul") {
    if (!shiftsNothing) return false;
  } else {
    const bias = node.inputs[2];
    const old = bias ? biasNumbers(linear, graph) : new Float64Array(channels);
    if (!old) return false;
    if (bias || !shiftsNothing) {
      const numbers = old.map((number, channel) => number * affine.scale[channel]! + affine.shift[channel]!);
      node.inputs[2] = floatConstant(bias?.name ?? biasName(weight), constant.dtype, [channels], numbers);
      if (node.operator === "Gemm") node.attributes.delete("beta");
    }
  }
  if (!affine.scale.every((number) => number === 1))
    node.inputs[1] = floatConstant(weight.name, constant.dtype, constant.shape, scaledWeights(linear, affine.scale));
  return true;
}

/** The constant bias, one number per channel; a Gemm's is broadcast and multiplied by `beta`, a convolution's is not. */
function biasNumbers(linear: LinearNode, graph: Graph): Float64Array | undefined {
  const constant = fixedConstant(linear.node.inputs[2], graph);
  if (linear.node.operator !== "Gemm") return constant && toNumbers(constant.load());
  const beta = linear.node.float("beta", 1);
  return channelNumbers(constant, linear)?.map((number) => number * beta);
}

function scaledWeights(linear: LinearNode, scale: Float64Array): Float64Array {
  const numbers = toNumbers(linear.constant.load());
  const { blocks, before, after } = linear.layout;
  const perBlock = linear.channels / blocks;
  let at = 0;
  for (let block = 0; block < blocks; block++)
    for (let row = 0; row < before; row++)
      for (let channel = 0; channel < perBlock; channel++) {
        const factor = scale[block * perBlock + channel]!;
        for (let i = 0; i < after; i++, at++) numbers[at] = numbers[at]! * factor;
      }
  return numbers;
}

/** The name for a bias that goes with weights: `conv1.bias` for `conv1.weight`. */
function biasName(weight: Value): string {
  return /weight$/.test(weight.name) ? weight.name.replace(/weight$/, "bias") : `${weight.name}.bias`;
}
