/**
 * Operators of our own domain "modicum": what gradients are made of where ONNX has no operator, or several forms that differ
 * in speed only. They say what is computed; lower/ replaces each by ONNX operators before a program is written or run.
 */
import { type Node, type Shape, staticShape } from "../program/index.ts";
import { elementCount } from "../tensor/index.ts";
import { dimensionsDiffer } from "./dimension.ts";
import { type Fact, family, type InferenceContext, type Operator } from "./operator.ts";
import { formatShape, shapeMismatch } from "./shape-check.ts";
import { slideWindow } from "./window.ts";

/** Domain of operators that exist only inside Modicum. */
export const MODICUM = "modicum";

function inferFirst(_node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape } = context.input(0);
  return [{ dtype, shape }];
}

/** CustomGradient (inputs..., results...) -> results: what it gives is what came last. */
function inferCustom(node: Node, context: InferenceContext): readonly Fact[] {
  const first = node.inputs.length - node.outputs.length;
  return node.outputs.map((_, index) => context.input(first + index));
}

/** ConvInputGradient (dy, w) -> dx: dy must be shaped as the convolution of dx with w. */
function inferInputGradient(node: Node, context: InferenceContext): readonly Fact[] {
  const [dy, w] = [context.input(0), context.input(1)];
  const shape = node.ints("input_shape");
  assertConvolved(node, shape, w.shape, dy.shape);
  return [{ dtype: dy.dtype, shape }];
}

/** ConvWeightGradient (x, dy) -> dw: dy must be shaped as the convolution of x with dw. */
function inferWeightGradient(node: Node, context: InferenceContext): readonly Fact[] {
  const [x, dy] = [context.input(0), context.input(1)];
  const shape = node.ints("weight_shape");
  assertConvolved(node, x.shape, shape, dy.shape);
  return [{ dtype: x.dtype, shape }];
}

/** @throws ShapeError if y cannot be the convolution of x with w. */
function assertConvolved(node: Node, x: Shape | undefined, w: Shape | undefined, y: Shape | undefined): void {
  if (!x || !w || !y) return;
  const expected = [x[0]!, w[0]!, ...slideWindow(node, x.slice(2), w.slice(2))];
  if (expected.length !== y.length || expected.some((length, axis) => dimensionsDiffer(length, y[axis]!)))
    throw shapeMismatch(node, `dy must be shaped as the convolution, ${formatShape(expected)}`, y);
}

/** A convolution's gradients take as many multiply-accumulates as itself: one per output element and weight of its channel. */
function countConv(node: Node): number | undefined {
  const [dy, w] =
    node.operator === "ConvInputGradient"
      ? [staticShape(node.input(0)), staticShape(node.input(1))]
      : [staticShape(node.input(1)), staticShape(node.output())];
  return dy && w && elementCount(dy) * elementCount(w.slice(1));
}

/**
 * - StopGradient (x) -> x; CustomGradient (inputs..., results...) -> results: nothing but their gradient differs from Identity.
 * - ConvInputGradient (dy, w; input_shape and Conv's attributes) -> dx; ConvWeightGradient (x, dy; weight_shape and Conv's
 *   attributes) -> dw: the two bilinear companions of y = Conv(x, w). Pads are given as numbers.
 * - ReluGradient (dy, y) -> dy where y > 0, else 0.
 * - MaxPoolGradient (dy, x, y; MaxPool's attributes) -> dx: each dy goes to the first largest element of its window.
 * - Standardize (x, deviation, scale[, mean, bias]) -> (x - mean) / deviation scale + bias; all but x broadcast to it.
 * - Quantized (x, scale[, zeroPoint, noise]; lowest, highest) -> (q - zeroPoint) scale, q = clip(round(x / scale + noise) + zeroPoint,
 *   lowest, highest), for whole zeroPoint; scale and zeroPoint broadcast to x, noise repeats along its first axis.
 * - TakeElements (x, places) -> the elements of x at places, which count through its memory; as places.
 * - AddElements (x, places, numbers) -> x with numbers added to its elements at places.
 */
export const derived: readonly Operator[] = [
  ...family(["StopGradient", "ReluGradient", "Standardize", "AddElements", "Quantized"], {
    domain: MODICUM,
    infer: inferFirst,
  }),
  ...family(["CustomGradient"], { domain: MODICUM, infer: inferCustom }),
  ...family(["ConvInputGradient"], { domain: MODICUM, infer: inferInputGradient, macs: countConv }),
  ...family(["ConvWeightGradient"], { domain: MODICUM, infer: inferWeightGradient, macs: countConv }),
  ...family(["MaxPoolGradient", "TakeElements"], {
    domain: MODICUM,
    infer: (_node, context) => [{ dtype: context.input(0).dtype, shape: context.input(1).shape }],
  }),
];
