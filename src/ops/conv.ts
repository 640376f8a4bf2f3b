/** Convolution: float, integer and quantized. */
import type { Node, Shape, Value } from "../program/index.ts";
import { staticShape } from "../program/index.ts";
import { elementCount } from "../tensor/index.ts";
import { dimensionsDiffer, multiplyDimensions } from "./dimension.ts";
import { type Fact, family, type InferenceContext, MICROSOFT, type Operator } from "./operator.ts";
import { shapeMismatch } from "./shape-check.ts";
import { slideWindow } from "./window.ts";

/** Shapes: x [batch, channels, ...spatial], w [out, channels / group, ...kernel] -> y [batch, out, ...places]. */
function convolvedShape(node: Node, x: Shape | undefined, w: Shape | undefined): Shape | undefined {
  const rank = x?.length ?? w?.length;
  if (rank === undefined) return undefined;
  if (rank < 3) throw shapeMismatch(node, "input must have a batch, a channel and a spatial axis", x, w);
  const input = x ?? new Array<null>(rank).fill(null);
  const weights = w ?? new Array<null>(rank).fill(null);
  if (weights.length !== rank) throw shapeMismatch(node, "input and weights must have the same rank", x, w);
  const group = node.int("group", 1);
  if (dimensionsDiffer(input[1]!, multiplyDimensions(weights[1]!, group)))
    throw shapeMismatch(node, `input channels must be ${group} (group) times the weights' second axis`, x, w);
  const kernel = node.ints("kernel_shape") ?? weights.slice(2);
  return [input[0]!, weights[0]!, ...slideWindow(node, input.slice(2), kernel)];
}

function inferConv(node: Node, context: InferenceContext): readonly Fact[] {
  const [x, w] = [context.input(0), context.input(1)];
  return [{ dtype: x.dtype, shape: convolvedShape(node, x.shape, w.shape) }];
}

function inferInteger(node: Node, context: InferenceContext): readonly Fact[] {
  return [{ dtype: "int32", shape: convolvedShape(node, context.input(0).shape, context.input(1).shape) }];
}

/** QLinearConv: (x, x_scale, x_zero_point, w, w_scale, w_zero_point, y_scale, y_zero_point, B). */
function inferQuantized(node: Node, context: InferenceContext): readonly Fact[] {
  const [x, w] = [context.input(0).shape, context.input(3).shape];
  const channelsLast = node.int("channels_last", 0) === 1;
  const shape = convolvedShape(node, channelsLast ? toChannelsFirst(x) : x, w);
  return [{ dtype: context.input(7).dtype, shape: channelsLast ? toChannelsLast(shape) : shape }];
}

/** Moves the channels of [batch, ...spatial, channels] to the second axis. */
export function toChannelsFirst(shape: Shape | undefined): Shape | undefined {
  return shape && [shape[0]!, shape.at(-1)!, ...shape.slice(1, -1)];
}

/** Moves the channels of [batch, channels, ...spatial] to the last axis. */
export function toChannelsLast(shape: Shape | undefined): Shape | undefined {
  return shape && [shape[0]!, ...shape.slice(2), shape[1]!];
}

/** Every output element is a sum over one kernel: the elements of w[0]. */
function countConv(node: Node): number | undefined {
  return countWindows(node.output(), node.input(1));
}

function countQuantized(node: Node): number | undefined {
  return countWindows(node.output(), node.input(3));
}

function countWindows(output: Value, weights: Value): number | undefined {
  const y = staticShape(output);
  const w = staticShape(weights);
  return y && w && elementCount(y) * elementCount(w.slice(1));
}

/** Convolutions. */
export const conv: readonly Operator[] = [
  ...family(["Conv"], { infer: inferConv, macs: countConv }),
  ...family(["FusedConv"], { domain: MICROSOFT, infer: inferConv, macs: countConv }),
  ...family(["ConvInteger"], { since: 10, infer: inferInteger, macs: countConv }),
  ...family(["QLinearConv"], { since: 10, infer: inferQuantized, macs: countQuantized }),
  ...family(["QLinearConv"], { domain: MICROSOFT, infer: inferQuantized, macs: countQuantized }),
];
