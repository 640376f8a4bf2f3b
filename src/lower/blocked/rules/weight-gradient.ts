/** The gradient of a convolution's weights, as a convolution in which examples play the part of channels. */
import type { Ops } from "../../../build/index.ts";
import type { Value } from "../../../program/index.ts";
import type { BlockedContext, BlockedRule } from "../blocked-rule.ts";
import { weightOrder } from "../filters.ts";
import { blocksToLast, channelsToBlocks, emitBlocked, lastToBlocks, meanOverPlaces } from "../nchwc.ts";
import { scaledFilters, withoutScale } from "../scaled-gradient.ts";
import { type Window, windowOf } from "./convolution.ts";

/** Work for the threads: a sum is cut into parts until there are this many pieces to share out. */
const PIECES = 24;

/** Blocks of output channels that a kernel of ONNX Runtime works on at a time. */
const FILTER_SET = 4;

/**
 * dw[k, c, r, s] = sum over examples n and places (i, j) of dy[n, k, i, j] x[n, c, i stride + r - pad, j stride + s - pad].
 *
 * That is a convolution whose input channels are the examples, whose filter is dy, and whose dilation is the stride. A row of
 * its input holds all channels of a pixel next to each other: with a horizontal dilation of `channels`, one row of results holds
 * (s, c) for all s and c. Groups of blocks of examples are summed apart, then added: work for the threads, and smaller errors.
 */
const weightGradient: BlockedRule = (context) => {
  const { node, ops, block, canBlock } = context;
  const x = node.input(0);
  const { gradient: dy, scale } = withoutScale(context, node.input(1));
  const shape = node.ints("weight_shape")!;
  const window = shape.length === 4 ? windowOf(node, node.output()) : undefined;
  if (!window || !canBlock(dy) || x.dtype !== "float32" || window.dilations.some((d) => d !== 1)) return undefined;
  const isDepthwise = shape[1] === 1 && window.group === shape[0];
  if (window.group > 1 ? !isDepthwise || !canBlock(x) : ops.shapeOf(x)[0]! % block !== 0) return undefined;
  const dw = window.group > 1 ? depthwise(context, dy, window) : dense(context, x, dy, window, shape);
  return [scaledFilters(context, dw, scale)];
};

function dense(context: BlockedContext, x: Value, dy: Value, window: Window, shape: readonly number[]): Value {
  const { ops, block, blocked } = context;
  const [examples, inputs, height] = ops.shapeOf(x) as [number, number, number];
  const [out, , rows, columns] = shape as [number, number, number, number];
  const [, , down, right] = ops.shapeOf(dy) as [number, number, number, number];
  const [stride, across] = window.strides;
  const blocks = examples / block;
  const groups = groupCount(blocks, rows, out / block);
  const filter = ops.reshape(dyAsFilter(ops, blocked(dy), block, groups), [
    groups * out,
    examples / groups,
    down,
    right,
  ]);
  const { input, width } = xAsInput(context, x, window.pads[1], columns + across * (right - 1));
  const bottom = Math.max(0, rows + stride * (down - 1) - height - window.pads[0]);
  const kept = height + window.pads[0] + bottom - stride * (down - 1);
  const row = columns * inputs;
  const sums = emitBlocked(
    ops,
    "Conv",
    [ops.reshape(input, [1, examples, height, width * inputs]), filter],
    [1, groups * out, kept, row],
    {
      kernel_shape: [down, right],
      strides: [1, 1],
      dilations: [stride, across * inputs],
      pads: [window.pads[0], 0, bottom, 0],
      group: groups,
    },
  );
  const parts = ops.reshape(sums, [groups, out / block, kept, row * block]);
  const total = groups === 1 ? parts : ops.reduceSum(parts, { axes: [0] });
  // Strides may leave a rest of the picture that no window reached.
  const cut = kept === rows ? total : ops.slice(total, { axes: [2], starts: [0], ends: [rows] });
  return weightOrder(ops, cut, shape, block);
}

/** Enough groups for the threads, and no more: each makes a whole gradient that has to be added. */
function groupCount(blocks: number, rows: number, outBlocks: number): number {
  const sets = Math.ceil(outBlocks / FILTER_SET);
  let groups = 1;
  while (groups * rows * sets < PIECES && blocks % (groups * 2) === 0) groups *= 2;
  return groups;
}

/** dy as filter: [groups][out / block][blocks of examples in a group][places][block of examples][block of out]. */
function dyAsFilter(ops: Ops, dy: Value, block: number, groups: number): Value {
  const [examples, out, ...places] = ops.shapeOf(dy) as [number, number, number, number];
  const [blocks, area] = [examples / block, places[0]! * places[1]!];
  const filter = lastToBlocks(ops, dy, [blocks, out * area, block]);
  if (groups === blocks) return filter;
  const view = ops.reshape(filter, [groups, blocks / groups, out / block, area * block * block]);
  return ops.transpose(view, [0, 2, 1, 3]);
}

/** x as input: [blocks of examples][height][padded width][channels][block of examples]. */
function xAsInput(
  { ops, block, isBlocked }: BlockedContext,
  x: Value,
  left: number,
  width: number,
): { input: Value; width: number } {
  const [examples, channels, height, from] = ops.shapeOf(x) as [number, number, number, number];
  const rows = ops.reshape(pixelRows(ops, x, isBlocked(x), block), [examples, height, from * channels]);
  const right = width - from - left;
  const padded = left === 0 && right === 0 ? rows : ops.pad(rows, [0, 0, left * channels, 0, 0, right * channels]);
  return { input: channelsToBlocks(ops, padded, [examples / block, block, height * width * channels]), width };
}

/** Memory [examples, height, width, channels]. */
function pixelRows(ops: Ops, x: Value, isBlocked: boolean, block: number): Value {
  const [examples, channels, height, width] = ops.shapeOf(x) as [number, number, number, number];
  if (!isBlocked) return ops.transpose(x, [0, 2, 3, 1]);
  return channels === block ? x : blocksToLast(ops, x, [examples, channels, height * width]);
}

/** One filter per channel: for each tap the mean of a product. */
function depthwise(context: BlockedContext, dy: Value, { kernel, strides, pads }: Window): Value {
  const { node, ops, block, blocked } = context;
  const x = node.input(0);
  const [examples, channels, height, width] = ops.shapeOf(x) as [number, number, number, number];
  const shape = ops.shapeOf(dy);
  const [down, right] = shape.slice(2) as [number, number];
  const reach = [0, 1].map((axis) => kernel[axis]! + strides[axis]! * ([down, right][axis]! - 1));
  const images = ops.reshape(blocked(x), [(examples * channels) / block, height, width, block]);
  const ends = [reach[0]! - height - pads[0], reach[1]! - width - pads[1]];
  const padded = ops.pad(images, [0, pads[0], pads[1], 0, 0, ends[0]!, ends[1]!, 0]);
  const gradient = blocked(dy);
  const taps = Array.from({ length: kernel[0] * kernel[1] }, (_, tap) => {
    const starts = [Math.floor(tap / kernel[1]), tap % kernel[1]];
    const seen = ops.slice(padded, {
      axes: [1, 2],
      starts,
      ends: [starts[0]! + strides[0] * (down - 1) + 1, starts[1]! + strides[1] * (right - 1) + 1],
      steps: strides,
    });
    const product = ops.mul(ops.reshape(seen, shape), gradient);
    return ops.reduceSum(meanOverPlaces(ops, product), { axes: [0] });
  });
  const sums = ops.mul(ops.concat(taps, 0), down * right);
  return ops.reshape(ops.transpose(sums, [1, 0]), [channels, 1, ...kernel]);
}

export const weightGradients: Readonly<Record<string, BlockedRule>> = { "modicum:ConvWeightGradient": weightGradient };
