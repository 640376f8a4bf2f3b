/** Padding and cropping. */
import type { Dimension, Node } from "../program/index.ts";
import { addDimensions } from "./dimension.ts";
import { unknownLengths } from "./elements.ts";
import { type Fact, family, type InferenceContext, type Operator } from "./operator.ts";
import { normalizeAxis, shapeMismatch } from "./shape-check.ts";

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

/** Pad and CenterCropPad. */
export const pad: readonly Operator[] = [
  ...family(["Pad"], { infer: inferPad }),
  ...family(["CenterCropPad"], { since: 18, infer: inferCenterCropPad }),
];
