/** Trading channels for space. */
import type { Dimension, Node } from "../program/index.ts";
import { divideDimensions, multiplyDimensions } from "./dimension.ts";
import { type Fact, family, type InferenceContext, type Operator } from "./operator.ts";
import { assertRank, shapeMismatch } from "./shape-check.ts";

function inferDepthToSpace(node: Node, context: InferenceContext): readonly Fact[] {
  return inferBlocks(node, context, (channels, block) => divideDimensions(channels, block * block), multiplyDimensions);
}

function inferSpaceToDepth(node: Node, context: InferenceContext): readonly Fact[] {
  return inferBlocks(node, context, (channels, block) => multiplyDimensions(channels, block * block), divideDimensions);
}

type Scale = (length: Dimension, block: number) => Dimension;

/** Shapes: x [batch, channels, height, width]; one of channels and space must be a multiple of the block. */
function inferBlocks(node: Node, context: InferenceContext, channels: Scale, space: Scale): readonly Fact[] {
  const { dtype, shape } = context.input(0);
  assertRank(node, "input", shape, 4);
  if (!shape) return [{ dtype }];
  const block = node.int("blocksize", 1);
  const result = [shape[0]!, channels(shape[1]!, block), space(shape[2]!, block), space(shape[3]!, block)];
  const size = (lengths: readonly Dimension[]): number =>
    lengths.reduce<number>((product, length) => product * (typeof length === "number" ? length : Number.NaN), 1);
  const [before, after] = [size(shape.slice(1)), size(result.slice(1))];
  if (!Number.isNaN(before) && !Number.isNaN(after) && before !== after)
    throw shapeMismatch(node, `lengths must be multiples of the block ${block}`, shape);
  return [{ dtype, shape: result }];
}

/** DepthToSpace and SpaceToDepth. */
export const depthToSpace: readonly Operator[] = [
  ...family(["DepthToSpace"], { infer: inferDepthToSpace }),
  ...family(["SpaceToDepth"], { infer: inferSpaceToDepth }),
];
