/** Channels in blocks, seen through their memory: views, extremes, single elements, standardization. */
import type { Value } from "../../../program/index.ts";
import { staticShape } from "../../../program/index.ts";
import { elementCount, int64 } from "../../../tensor/index.ts";
import type { BlockedContext, BlockedRule } from "../blocked-rule.ts";
import { blocksToLast, channelAffine, emitBlocked, lastToBlocks } from "../nchwc.ts";

/** Examples become channels, or channels examples: the same memory in blocks as long as no block is cut. */
const reshape: BlockedRule = ({ node, ops, isBlocked, canBlock, mark }) => {
  const [x, y] = [node.input(0), node.output()];
  if (!isBlocked(x) || !canBlock(y)) return undefined;
  const [from, to] = [ops.shapeOf(x), ops.shapeOf(y)];
  if (from[2] !== to[2] || from[3] !== to[3]) return undefined;
  return [mark(ops.reshape(x, to))];
};

/** Channels that come last, as convolutions of bytes read and write them, from blocks and to blocks. */
const transpose: BlockedRule = ({ node, ops, isBlocked, canBlock, mark }) => {
  const [x, y] = [node.input(0), node.output()];
  const order = node.ints("perm")?.join();
  const isToBlocks = order === "0,3,1,2" && canBlock(y) && !isBlocked(x);
  const isToLast = order === "0,2,3,1" && canBlock(x) && isBlocked(x);
  if (!isToBlocks && !isToLast) return undefined;
  const shape = ops.shapeOf(y);
  const [batch, channels, height, width] = ops.shapeOf(isToBlocks ? y : x) as [number, number, number, number];
  const extents = [batch, channels, height * width] as const;
  return [
    isToBlocks
      ? mark(ops.reshape(lastToBlocks(ops, x, extents), shape))
      : ops.reshape(blocksToLast(ops, x, extents), shape),
  ];
};

/** The largest or smallest number over all places, whose layouts are one and the same, or over everything. */
function extreme(isLargest: boolean): BlockedRule {
  return ({ node, ops, block, isBlocked, canBlock }) => {
    const x = node.input(0);
    const axes = ops.numbersOf(node.inputs[1]) ?? node.ints("axes");
    if (!isBlocked(x) || !canBlock(x)) return undefined;
    // Over everything it does not matter what lies where.
    if (axes === undefined) return [ops.emit(node.operator, [x], Object.fromEntries(node.attributes))];
    if (axes.join() !== "2,3") return undefined;
    const [batch, channels, ...places] = ops.shapeOf(x) as [number, number, number, number];
    const kept = ops.shapeOf(node.output());
    if (isLargest) return [ops.reshape(emitBlocked(ops, "GlobalMaxPool", [x], [batch, channels, 1, 1]), kept)];
    const view = ops.reshape(x, [(batch * channels) / block, elementCount(places), block]);
    return [ops.reshape(ops.reduceMin(view, { axes: [1] }), kept)];
  };
}

/** Where the elements at places of the plain layout are in blocks. */
function inBlocks({ ops, block }: BlockedContext, x: Value, places: Value): Value {
  const [, channels, height, width] = ops.shapeOf(x) as [number, number, number, number];
  const size = height * width;
  const number = (value: number) => ops.constant(int64([value], []));
  const row = ops.div(places, number(size));
  const place = ops.sub(places, ops.mul(row, number(size)));
  const outer = ops.div(row, number(block));
  const inner = ops.sub(row, ops.mul(outer, number(block)));
  // Channels are a multiple of the block: blocks are counted through examples and channels alike.
  if (channels % block !== 0) throw new Error("internal: a blocked value must have whole blocks");
  return ops.add(ops.mul(ops.add(ops.mul(outer, number(size)), place), number(block)), inner);
}

const take: BlockedRule = (context) => {
  const { node, ops, isBlocked } = context;
  const x = node.input(0);
  if (!isBlocked(x)) return undefined;
  return [ops.emit("TakeElements", [x, inBlocks(context, x, node.input(1))], {}, { domain: "modicum" })];
};

const add: BlockedRule = (context) => {
  const { node, ops, isBlocked, mark } = context;
  const x = node.input(0);
  if (!isBlocked(x)) return undefined;
  const inputs = [x, inBlocks(context, x, node.input(1)), node.input(2)];
  return [mark(ops.emit("AddElements", inputs, {}, { domain: "modicum" }))];
};

/** (x - mean) / deviation scale + bias in one pass. */
const standardize: BlockedRule = ({ node, ops, isBlocked, canBlock, mark }) => {
  const x = node.input(0);
  const channels = staticShape(x)?.[1];
  if (!isBlocked(x) || !canBlock(x) || staticShape(node.input(1))?.at(-3) !== channels) return undefined;
  const [deviation, scale] = [node.input(1), node.input(2)];
  const [mean, bias] = [node.inputs[3], node.inputs[4]];
  const slope = ops.div(scale, deviation);
  return [mark(channelAffine(ops, x, slope, mean && bias && ops.sub(bias, ops.mul(mean, slope))))];
};

export const elementAccess: Readonly<Record<string, BlockedRule>> = {
  Reshape: reshape,
  Transpose: transpose,
  ReduceMax: extreme(true),
  ReduceMin: extreme(false),
  "modicum:TakeElements": take,
  "modicum:AddElements": add,
  "modicum:Standardize": standardize,
};
