/** Reductions over axes, and the positions of extremes. */
import type { Dimension, Node, Shape } from "../program/index.ts";
import { addDimensions, dimensionsDiffer, multiplyDimensions, productOf } from "./dimension.ts";
import { attributeOrInput, isGiven, unknownLengths, vectorLength } from "./elements.ts";
import { type Fact, family, type InferenceContext, MICROSOFT, type Operator } from "./operator.ts";
import { normalizeAxis, shapeMismatch } from "./shape-check.ts";

const AXES_INPUT = 1;

function inferReduce(node: Node, context: InferenceContext): readonly Fact[] {
  const input = context.input(0);
  const keep = node.int("keepdims", 1) === 1;
  const shape = input.shape && reducedShape(node, context, input.shape, keep);
  return [{ dtype: input.dtype, shape, elements: reducedElements(node, input, shape) }];
}

function reducedShape(node: Node, context: InferenceContext, shape: Shape, keep: boolean): Shape | undefined {
  const given = isGiven(node, "axes", AXES_INPUT);
  const axes = given ? attributeOrInput(node, context, "axes", AXES_INPUT) : [];
  if (!axes) {
    const count = vectorLength(context.input(AXES_INPUT));
    if (keep) return unknownLengths(shape.length);
    return typeof count === "number" && count > 0 ? unknownLengths(shape.length - count) : undefined;
  }
  if (axes.length === 0) {
    if (node.int("noop_with_empty_axes", 0) === 1) return shape;
    return keep ? shape.map(() => 1) : [];
  }
  return removeAxes(node, shape, axes, keep);
}

/** Returns the shape with the axes removed, or of length 1 when they are kept. */
export function removeAxes(node: Node, shape: Shape, axes: readonly number[], keep: boolean): Shape {
  const reduced = new Set(axes.map((axis) => normalizeAxis(node, axis, shape.length)));
  if (keep) return shape.map((length, axis) => (reduced.has(axis) ? 1 : length));
  return shape.filter((_, axis) => !reduced.has(axis));
}

/** The number of elements is often computed as the product of a shape. */
function reducedElements(node: Node, input: Fact, shape: Shape | undefined): readonly Dimension[] | undefined {
  const { elements } = input;
  const whole = input.shape?.length === 1 && shape?.every((length) => length === 1);
  if (!elements || elements.length === 0 || !whole) return undefined;
  switch (node.operator) {
    case "ReduceProd":
      return [elements.reduce(multiplyDimensions)];
    case "ReduceSum":
      return [elements.reduce(addDimensions)];
    case "ReduceMax":
    case "ReduceMin": {
      const numbers = elements.filter((element) => typeof element === "number");
      if (numbers.length < elements.length) return [elements.length === 1 ? productOf(elements) : null];
      return [node.operator === "ReduceMax" ? Math.max(...numbers) : Math.min(...numbers)];
    }
    default:
      return undefined;
  }
}

function inferArgument(node: Node, context: InferenceContext): readonly Fact[] {
  const { shape } = context.input(0);
  const keep = node.int("keepdims", 1) === 1;
  return [{ dtype: "int64", shape: shape && removeAxes(node, shape, [node.int("axis", 0)], keep) }];
}

/** Det: square matrices [..., size, size] -> [...]. */
function inferDeterminant(node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape } = context.input(0);
  if (shape && (shape.length < 2 || dimensionsDiffer(shape.at(-1)!, shape.at(-2)!)))
    throw shapeMismatch(node, "input must hold square matrices", shape);
  return [{ dtype, shape: shape?.slice(0, -2) }];
}

/** QLinearReduceMean: (data, data_scale, data_zero_point, ...), axes as an attribute. */
function inferQuantizedMean(node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape } = context.input(0);
  const keep = node.int("keepdims", 1) === 1;
  const axes = node.ints("axes") ?? shape?.map((_, axis) => axis) ?? [];
  return [{ dtype, shape: shape && removeAxes(node, shape, axes, keep) }];
}

// biome-ignore format: a table
const REDUCTIONS = [
  "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd",
  "ReduceSum", "ReduceSumSquare",
];

/** Reductions. */
export const reduce: readonly Operator[] = [
  ...family(REDUCTIONS, { infer: inferReduce }),
  ...family(["QLinearReduceMean"], { domain: MICROSOFT, infer: inferQuantizedMean }),
  ...family(["Det"], { since: 11, infer: inferDeterminant }),
  ...family(["ArgMax", "ArgMin"], { infer: inferArgument }),
];
