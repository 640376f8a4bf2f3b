/** Transposed and deformable convolution. */
import { type Node, staticShape } from "../program/index.ts";
import { elementCount } from "../tensor/index.ts";
import { dimensionsDiffer, multiplyDimensions } from "./dimension.ts";
import { type Fact, family, type InferenceContext, type Operator } from "./operator.ts";
import { shapeMismatch } from "./shape-check.ts";
import { slideWindow, unslideWindow } from "./window.ts";

/** Shapes: x [batch, channels, ...spatial], w [channels, out / group, ...kernel] -> y [batch, out, ...spatial']. */
function inferConvTranspose(node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape: x } = context.input(0);
  const w = context.input(1).shape;
  if (!x || !w) return [{ dtype }];
  if (x.length !== w.length || x.length < 3)
    throw shapeMismatch(node, "input and weights must have the same rank, at least 3", x, w);
  if (dimensionsDiffer(x[1]!, w[0]!)) throw shapeMismatch(node, "input channels must be the weights' first axis", x, w);
  const channels = multiplyDimensions(w[1]!, node.int("group", 1));
  const kernel = node.ints("kernel_shape") ?? w.slice(2);
  return [{ dtype, shape: [x[0]!, channels, ...unslideWindow(node, x.slice(2), kernel)] }];
}

/** Every input element is spread over one kernel: the elements of w[0]. */
function countConvTranspose(node: Node): number | undefined {
  const x = staticShape(node.input(0));
  const w = staticShape(node.input(1));
  return x && w && elementCount(x) * elementCount(w.slice(1));
}

function inferDeformConv(node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape: x } = context.input(0);
  const w = context.input(1).shape;
  if (!x || !w) return [{ dtype }];
  const kernel = node.ints("kernel_shape") ?? w.slice(2);
  return [{ dtype, shape: [x[0]!, w[0]!, ...slideWindow(node, x.slice(2), kernel)] }];
}

function countDeformConv(node: Node): number | undefined {
  const y = staticShape(node.output());
  const w = staticShape(node.input(1));
  return y && w && elementCount(y) * elementCount(w.slice(1));
}

/** Transposed and deformable convolution. */
export const convTranspose: readonly Operator[] = [
  ...family(["ConvTranspose"], { infer: inferConvTranspose, macs: countConvTranspose }),
  ...family(["DeformConv"], { since: 19, infer: inferDeformConv, macs: countDeformConv }),
];
