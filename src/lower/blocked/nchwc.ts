/**
 * Writing ONNX Runtime's operators on channels in blocks: NCHWc, `com.microsoft.nchwc`.
 *
 * A tensor of shape [batch, channels, height, width] lies in memory as [batch, channels / block, height, width, block], which
 * lets one vector register hold one pixel of a block. ONNX Runtime writes these nodes itself where weights are constants; they
 * take weights that are computed just as well. Shapes stay those of the plain layout.
 */
import type { Attributes, Ops } from "../../build/index.ts";
import { type AttributeInput, Node, Value } from "../../program/index.ts";

/** The domain, as models import it. */
export const NCHWC = "com.microsoft.nchwc";

/** Appends a node on blocked values; its output's shape is given, because no shape rule knows these operators. */
export function emitBlocked(
  ops: Ops,
  operator: string,
  inputs: readonly (Value | undefined)[],
  shape: readonly number[],
  attributes: Attributes = {},
): Value {
  const name = `${ops.path ? `${ops.path}/` : ""}${operator}_${ops.writer.nextNumber()}`;
  const given = Object.entries(attributes).filter((entry): entry is [string, AttributeInput] => entry[1] !== undefined);
  const output = new Value(name, "float32", shape);
  ops.writer.append(
    new Node(operator, inputs, [output], { domain: NCHWC, name, attributes: Object.fromEntries(given) }),
  );
  return output;
}

/** Whether a node is of this domain. */
export function isNchwc(node: Node | undefined, operator: string): node is Node {
  return node?.domain === NCHWC && node.operator === operator;
}

/** How many matrices, rows and columns a change of layout sees in the elements of a tensor. */
export type Extents = readonly [matrices: number, channels: number, places: number];

/** Memory [matrices, channels, places] -> [matrices, channels / block, places, block]. */
export function channelsToBlocks(ops: Ops, x: Value, [matrices, channels, places]: Extents): Value {
  const shape = [matrices, channels, places, 1];
  return emitBlocked(ops, "ReorderInput", [ops.reshape(x, shape)], shape);
}

/** Memory [matrices, places, channels] -> [matrices, channels / block, places, block]. */
export function lastToBlocks(ops: Ops, x: Value, [matrices, channels, places]: Extents): Value {
  const from = ops.reshape(x, [matrices, places, 1, channels]);
  return emitBlocked(ops, "ReorderInput", [from], [matrices, channels, places, 1], { channels_last: 1 });
}

/** Memory [matrices, channels / block, places, block] -> [matrices, channels, places]. */
export function blocksToChannels(ops: Ops, x: Value, [matrices, channels, places]: Extents): Value {
  const shape = [matrices, channels, places, 1];
  return emitBlocked(ops, "ReorderOutput", [ops.reshape(x, shape)], shape, { channels });
}

/** Memory [matrices, channels / block, places, block] -> [matrices, places, channels]. */
export function blocksToLast(ops: Ops, x: Value, [matrices, channels, places]: Extents): Value {
  const from = ops.reshape(x, [matrices, channels, places, 1]);
  return emitBlocked(ops, "ReorderOutput", [from], [matrices, places, 1, channels], { channels, channels_last: 1 });
}

/** What a convolution of blocked values is made of besides its input. */
export interface BlockedConv {
  /** [out, inputs / group, height, width] in the order the kernels want: see filters.ts. */
  readonly filter: Value;
  readonly bias?: Value | undefined;
  readonly strides?: readonly number[] | undefined;
  /** Beginnings, then ends. */
  readonly pads?: readonly number[] | undefined;
  readonly dilations?: readonly number[] | undefined;
  readonly group?: number | undefined;
}

/** Appends a convolution; its result is blocked. */
export function blockedConv(ops: Ops, x: Value, conv: BlockedConv, shape: readonly number[]): Value {
  const { filter, bias, strides = [1, 1], pads = [0, 0, 0, 0], dilations = [1, 1], group = 1 } = conv;
  const inputs = bias ? [x, filter, bias] : [x, filter];
  const kernel = ops.shapeOf(filter).slice(2);
  return emitBlocked(ops, "Conv", inputs, shape, { kernel_shape: kernel, strides, pads, dilations, group });
}

/**
 * x scale + offset with one number per channel, in one pass over memory: a depthwise convolution by 1x1 kernels.
 *
 * Shapes: x [batch, channels, height, width], scale and offset [channels] -> as x.
 */
export function channelAffine(ops: Ops, x: Value, scale: Value, offset?: Value): Value {
  const shape = ops.shapeOf(x);
  const channels = shape[1]!;
  const filter = ops.reshape(scale, [channels, 1, 1, 1]);
  const bias = offset && ops.reshape(offset, [channels]);
  return blockedConv(ops, x, { filter, bias, group: channels }, shape);
}

/** The mean over all places: [batch, channels, height, width] -> [batch, channels], whose layouts are one and the same. */
export function meanOverPlaces(ops: Ops, x: Value): Value {
  const [batch, channels] = ops.shapeOf(x) as [number, number];
  return ops.reshape(emitBlocked(ops, "GlobalAveragePool", [x], [batch, channels, 1, 1]), [batch, channels]);
}

/** The mean over batch and places: [batch, channels, height, width] -> [channels]. */
export function meanPerChannel(ops: Ops, x: Value): Value {
  return ops.reduceMean(meanOverPlaces(ops, x), { axes: [0], keepDims: false });
}
