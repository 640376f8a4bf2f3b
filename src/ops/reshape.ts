/** Operators that give the same elements another shape. */
import type { Dimension, Node, Shape } from "../program/index.ts";
import { dimensionsDiffer, divideDimensions, productOf } from "./dimension.ts";
import { attributeOrInput, isGiven, unknownLengths, vectorLength } from "./elements.ts";
import { type Fact, family, type InferenceContext, type Operator } from "./operator.ts";
import { normalizeAxis, shapeMismatch } from "./shape-check.ts";

/** Reshape: 0 copies a length (unless allowzero), -1 takes what is left. */
function inferReshape(node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape, elements } = context.input(0);
  const target: Shape | undefined = node.ints("shape") ?? context.input(1).elements;
  if (!target) return [{ dtype, shape: unknownLengths(vectorLength(context.input(1))), elements: undefined }];
  const copies = node.int("allowzero", 0) === 0;
  const lengths = target.map((length, axis) => (length === 0 && copies ? (shape?.[axis] ?? null) : length));
  return [{ dtype, shape: fillLength(node, shape, lengths), elements }];
}

/** Fills in the length given as -1, or the only unknown one, from the number of elements. */
function fillLength(node: Node, from: Shape | undefined, lengths: Shape): Shape {
  const open = lengths.indexOf(-1) >= 0 ? lengths.indexOf(-1) : lengths.indexOf(null);
  const rest = lengths.filter((_, axis) => axis !== open);
  const total = from ? productOf(from) : null;
  if (open < 0) {
    if (dimensionsDiffer(total, productOf(lengths)))
      throw shapeMismatch(node, "both shapes must have the same number of elements", from, lengths);
    return lengths;
  }
  const left = withoutCommon(from, rest);
  const known = productOf(rest);
  if (typeof total === "number" && typeof known === "number" && known > 0 && total % known !== 0)
    throw shapeMismatch(node, "the number of elements must be a multiple of the lengths given", from, lengths);
  return lengths.map((length, axis) => (axis === open ? left : length));
}

/** Divides one product by another, leaving out equal lengths first so that those with odd names cancel too. */
function withoutCommon(from: Shape | undefined, rest: Shape): Dimension {
  if (!from) return null;
  const dividend = [...from];
  const divisor: Dimension[] = [];
  for (const length of rest) {
    const at = length === null || length === 0 ? -1 : dividend.indexOf(length);
    if (at < 0) divisor.push(length);
    else dividend.splice(at, 1);
  }
  return divideDimensions(productOf(dividend), productOf(divisor));
}

function inferFlatten(node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape, elements } = context.input(0);
  if (!shape) return [{ dtype, shape: [null, null] }];
  const given = node.int("axis", 1);
  const axis = given === shape.length ? given : normalizeAxis(node, given, shape.length);
  return [{ dtype, shape: [productOf(shape.slice(0, axis)), productOf(shape.slice(axis))], elements }];
}

function inferSqueeze(node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape, elements } = context.input(0);
  if (!isGiven(node, "axes", 1)) {
    const known = shape?.every((length) => typeof length === "number");
    return [{ dtype, shape: known ? shape?.filter((length) => length !== 1) : undefined, elements }];
  }
  const axes = attributeOrInput(node, context, "axes", 1);
  if (!shape || !axes) {
    const count = axes?.length ?? vectorLength(context.input(1));
    return [{ dtype, shape: shape && typeof count === "number" ? unknownLengths(shape.length - count) : undefined }];
  }
  const removed = new Set(axes.map((axis) => normalizeAxis(node, axis, shape.length)));
  for (const axis of removed) {
    if (dimensionsDiffer(shape[axis]!, 1))
      throw shapeMismatch(node, `axis ${axis} must have length 1 to be squeezed`, shape);
  }
  return [{ dtype, shape: shape.filter((_, axis) => !removed.has(axis)), elements }];
}

function inferUnsqueeze(node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape, elements } = context.input(0);
  const axes = attributeOrInput(node, context, "axes", 1);
  if (!shape || !axes) {
    const count = axes?.length ?? vectorLength(context.input(1));
    return [{ dtype, shape: shape && typeof count === "number" ? unknownLengths(shape.length + count) : undefined }];
  }
  const rank = shape.length + axes.length;
  const added = new Set(axes.map((axis) => normalizeAxis(node, axis, rank)));
  let next = 0;
  const result = Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : shape[next++]!));
  return [{ dtype, shape: result, elements }];
}

/** Reshape, Flatten, Squeeze and Unsqueeze. */
export const reshape: readonly Operator[] = [
  ...family(["Reshape"], { infer: inferReshape }),
  ...family(["Flatten"], { infer: inferFlatten }),
  ...family(["Squeeze"], { infer: inferSqueeze }),
  ...family(["Unsqueeze"], { infer: inferUnsqueeze }),
];
