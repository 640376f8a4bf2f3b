/** Pooling over windows. */
import type { Node, Shape } from "../program/index.ts";
import { toChannelsFirst, toChannelsLast } from "./conv.ts";
import { unknownLengths } from "./elements.ts";
import { type Fact, family, type InferenceContext, MICROSOFT, type Operator } from "./operator.ts";
import { shapeMismatch } from "./shape-check.ts";
import { slideWindow } from "./window.ts";

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

/** Pooling. */
export const pool: readonly Operator[] = [
  ...family(["AveragePool", "LpPool", "MaxPool"], { infer: inferPool }),
  ...family(["QLinearAveragePool"], { domain: MICROSOFT, infer: inferQuantizedPool }),
];
