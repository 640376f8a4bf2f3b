/** Operators that make a tensor longer: repeating, padding. */
import type { Dimension, Node, Shape } from "../program/index.ts";
import { broadcastShapes } from "./broadcast.ts";
import { addDimensions, multiplyDimensions } from "./dimension.ts";
import { attributeOrInput, broadcastElements, rearrange, unknownLengths, vectorLength } from "./elements.ts";
import { type Fact, family, type InferenceContext, type Operator } from "./operator.ts";
import { normalizeAxis, shapeMismatch } from "./shape-check.ts";

function inferExpand(node: Node, context: InferenceContext): readonly Fact[] {
  const input = context.input(0);
  const target = context.input(1).elements ?? unknownLengths(vectorLength(context.input(1)));
  const shape = broadcastShapes(node, input.shape, target);
  return [{ dtype: input.dtype, shape, elements: broadcastElements(input, shape) }];
}

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

/** Pad: (data, pads, value, axes), with pads as an attribute before operator set 11. */
function inferPad(node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape } = context.input(0);
  if (!shape) return [{ dtype }];
  const pads = node.ints("pads") ?? node.ints("paddings") ?? context.input(1).elements;
  const every = shape.map((_, axis) => axis);
  const axes = node.inputs[3] ? context.input(3).elements : every;
  if (!pads || !axes?.every((axis) => typeof axis === "number"))
    return [{ dtype, shape: unknownLengths(shape.length) }];
  if (pads.length !== 2 * axes.length)
    throw shapeMismatch(node, "pads must have a begin and an end for each axis", shape, pads);
  const padded: Dimension[] = [...shape];
  axes.forEach((axis, index) => {
    const at = normalizeAxis(node, axis as number, shape.length);
    padded[at] = addDimensions(shape[at]!, addDimensions(pads[index]!, pads[index + axes.length]!));
  });
  return [{ dtype, shape: padded }];
}

/** CenterCropPad: (data, target lengths), of all axes or those given. */
function inferCenterCropPad(node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape } = context.input(0);
  const target = context.input(1).elements;
  if (!shape) return [{ dtype }];
  const axes = node.ints("axes") ?? shape.map((_, axis) => axis);
  const result: Dimension[] = [...shape];
  axes.forEach((axis, index) => {
    result[normalizeAxis(node, axis, shape.length)] = target?.[index] ?? null;
  });
  return [{ dtype, shape: result }];
}

/** OneHot: (indices, depth, values), a new axis of length depth. */
function inferOneHot(node: Node, context: InferenceContext): readonly Fact[] {
  const { shape } = context.input(0);
  const dtype = context.input(2).dtype;
  if (!shape) return [{ dtype }];
  const axis = normalizeAxis(node, node.int("axis", -1), shape.length + 1);
  const depth: Dimension = context.input(1).elements?.[0] ?? null;
  const result: Shape = [...shape.slice(0, axis), depth, ...shape.slice(axis)];
  return [{ dtype, shape: result }];
}

/** TopK: (X, k), with k as an attribute before operator set 10 -> values and their positions. */
function inferTopK(node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape } = context.input(0);
  const count = node.int("k") ?? attributeOrInput(node, context, "k", 1)?.[0] ?? null;
  const axis = shape && normalizeAxis(node, node.int("axis", -1), shape.length);
  const result = shape?.map((length, index) => (index === axis ? count : length));
  return [
    { dtype, shape: result },
    { dtype: "int64", shape: result },
  ];
}

/** Expand, Tile, Pad and others that give axes a length told by an input. */
export const expand: readonly Operator[] = [
  ...family(["Expand"], { since: 8, infer: inferExpand }),
  ...family(["Tile"], { since: 6, infer: inferTile }),
  ...family(["Pad"], { infer: inferPad }),
  ...family(["CenterCropPad"], { since: 18, infer: inferCenterCropPad }),
  ...family(["OneHot"], { since: 9, infer: inferOneHot }),
  ...family(["TopK"], { infer: inferTopK }),
];
