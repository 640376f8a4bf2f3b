/** Tile: repeating a tensor along its axes. */
import type { Node } from "../program/index.ts";
import { multiplyDimensions } from "./dimension.ts";
import { rearrange, unknownLengths, vectorLength } from "./elements.ts";
import { type Fact, family, type InferenceContext, type Operator } from "./operator.ts";
import { shapeMismatch } from "./shape-check.ts";

function inferTile(node: Node, context: InferenceContext): readonly Fact[] {
  const input = context.input(0);
  const { dtype, shape } = input;
  const repeats = context.input(1).elements;
  if (!shape) return [{ dtype, shape: unknownLengths(vectorLength(context.input(1))) }];
  if (!repeats) return [{ dtype, shape: unknownLengths(shape.length) }];
  if (repeats.length !== shape.length)
    throw shapeMismatch(node, "repeats must have one entry per axis", shape, repeats);
  const tiled = shape.map((length, axis) => multiplyDimensions(length, repeats[axis]!));
  const elements = rearrange(input, tiled, (position) =>
    position.map((place, axis) => place % (shape[axis] as number)),
  );
  return [{ dtype, shape: tiled, elements }];
}

/** Tile. */
export const tile: readonly Operator[] = family(["Tile"], { since: 6, infer: inferTile });
