/** Pooling over windows and over whole images. */
import type { Node, Shape } from "../program/index.ts";
import { toChannelsFirst, toChannelsLast } from "./conv.ts";
import { numbersOf, unknownLengths } from "./elements.ts";
import { type Fact, family, type InferenceContext, MICROSOFT, type Operator } from "./operator.ts";
import { assertRank, shapeMismatch } from "./shape-check.ts";
import { slideWindow, unslideWindow } from "./window.ts";

/** Shapes: x [batch, channels, ...spatial] -> y [batch, channels, ...places]. */
function pooledShape(node: Node, x: Shape | undefined): Shape | undefined {
  const kernel = node.ints("kernel_shape");
  if (!x) return kernel && unknownLengths(kernel.length + 2);
  if (x.length < 3) throw shapeMismatch(node, "input must have a batch, a channel and a spatial axis", x);
  return [...x.slice(0, 2), ...slideWindow(node, x.slice(2), kernel ?? [])];
}

function inferPool(node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape } = context.input(0);
  const pooled = pooledShape(node, shape);
  return [
    { dtype, shape: pooled },
    { dtype: "int64", shape: pooled },
  ];
}

/** QLinearAveragePool: (X, x_scale, x_zero_point, y_scale, y_zero_point). */
function inferQuantizedPool(node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape } = context.input(0);
  if (node.int("channels_last", 0) === 0) return [{ dtype, shape: pooledShape(node, shape) }];
  return [{ dtype, shape: toChannelsLast(pooledShape(node, toChannelsFirst(shape))) }];
}

function inferGlobalPool(node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape } = context.input(0);
  if (shape && shape.length < 2) throw shapeMismatch(node, "input must have a batch and a channel axis", shape);
  const last = node.int("channels_last", 0) === 1 ? -1 : 1;
  const channels = shape?.at(last) ?? null;
  const ones = shape?.slice(2).map(() => 1);
  return [{ dtype, shape: shape && (last === 1 ? [shape[0]!, channels, ...ones!] : [shape[0]!, ...ones!, channels]) }];
}

/** MaxUnpool: (X, I, output_shape), with the window of the pooling it undoes. */
function inferMaxUnpool(node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape } = context.input(0);
  if (node.inputs[2]) return [{ dtype, shape: context.input(2).elements ?? unknownLengths(shape?.length) }];
  const kernel = node.ints("kernel_shape") ?? [];
  return [{ dtype, shape: shape && [...shape.slice(0, 2), ...unslideWindow(node, shape.slice(2), kernel)] }];
}

/** RoiAlign: (X [batch, channels, height, width], rois [count, 4], batch_indices [count]). */
function inferRoiAlign(node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape: x } = context.input(0);
  const rois = context.input(1).shape;
  assertRank(node, "input", x, 4);
  const count = rois?.[0] ?? context.input(2).shape?.[0] ?? null;
  return [{ dtype, shape: [count, x?.[1] ?? null, node.int("output_height", 1), node.int("output_width", 1)] }];
}

/** MaxRoiPool: (X, rois [count, 5]). */
function inferMaxRoiPool(node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape: x } = context.input(0);
  assertRank(node, "input", x, 4);
  const pooled = node.ints("pooled_shape") ?? [null, null];
  return [{ dtype, shape: [context.input(1).shape?.[0] ?? null, x?.[1] ?? null, ...pooled] }];
}

/** Col2Im: (input [batch, channels * block, places], image_shape, block_shape). */
function inferCol2Im(_node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape } = context.input(0);
  const image = context.input(1).elements;
  const block = numbersOf(context.input(2));
  const channels = shape?.[1];
  if (!image) return [{ dtype }];
  const blockSize = block?.reduce((product, length) => product * length, 1);
  const known = typeof channels === "number" && blockSize ? channels / blockSize : null;
  return [{ dtype, shape: [shape?.[0] ?? null, known, ...image] }];
}

/** Pooling and its relatives. */
export const pool: readonly Operator[] = [
  ...family(["AveragePool", "LpPool", "MaxPool"], { infer: inferPool }),
  ...family(["QLinearAveragePool"], { domain: MICROSOFT, infer: inferQuantizedPool }),
  ...family(["GlobalAveragePool", "GlobalLpPool", "GlobalMaxPool"], { infer: inferGlobalPool }),
  ...family(["QLinearGlobalAveragePool"], { domain: MICROSOFT, infer: inferGlobalPool }),
  ...family(["MaxUnpool"], { since: 9, infer: inferMaxUnpool }),
  ...family(["RoiAlign"], { since: 10, infer: inferRoiAlign }),
  ...family(["MaxRoiPool"], { infer: inferMaxRoiPool }),
  ...family(["Col2Im"], { since: 18, infer: inferCol2Im }),
];
