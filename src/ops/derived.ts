/**
 * Operators of our own domain "modicum": what gradients are made of where ONNX has no operator, or several forms that differ
 * in speed only. They say what is computed; lower/ replaces each by ONNX operators before a program is written or run.
 */
import { type Node, type Shape, staticShape } from "../program/index.ts";
import { elementCount } from "../tensor/index.ts";
import { type Fact, family, type InferenceContext, type Operator } from "./operator.ts";

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

/** The shape an attribute gives, with the element type of the first input. */
function inferAttribute(name: string): Operator["infer"] {
  return (node, context) => [{ dtype: context.input(0).dtype, shape: node.ints(name) as Shape | undefined }];
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
 */
export const derived: readonly Operator[] = [
  ...family(["StopGradient", "ReluGradient"], { domain: MODICUM, infer: inferFirst }),
  ...family(["CustomGradient"], { domain: MODICUM, infer: inferCustom }),
  ...family(["ConvInputGradient"], { domain: MODICUM, infer: inferAttribute("input_shape"), macs: countConv }),
  ...family(["ConvWeightGradient"], { domain: MODICUM, infer: inferAttribute("weight_shape"), macs: countConv }),
  ...family(["MaxPoolGradient"], {
    domain: MODICUM,
    infer: (_node, context) => [{ dtype: context.input(0).dtype, shape: context.input(1).shape }],
  }),
];
