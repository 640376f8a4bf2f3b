/** Images: resampling and decoding. */
import type { Dimension, Node, Shape } from "../program/index.ts";
import { multiplyDimensions } from "./dimension.ts";
import { unknownLengths } from "./elements.ts";
import { type Fact, family, type InferenceContext, type Operator } from "./operator.ts";
import { normalizeAxis, shapeMismatch } from "./shape-check.ts";

/** Resize: (X, roi, scales, sizes); operator set 10: (X, scales). */
function inferResize(node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape } = context.input(0);
  if (!shape) return [{ dtype }];
  const all = shape.map((_, axis) => axis);
  const axes = node.ints("axes")?.map((axis) => normalizeAxis(node, axis, shape.length)) ?? all;
  const first = context.opset >= 11 ? 2 : 1;
  const scales = node.inputs[first] ? context.input(first) : undefined;
  const lengths = (values: readonly Dimension[] | undefined): readonly Dimension[] | undefined =>
    values && values.length > 0 ? perAxis(node, values, axes, shape) : undefined;
  if (scales && scales.shape?.[0] !== 0)
    return [{ dtype, shape: scaled(node, context, shape, lengths(scales.elements)) }];
  const sizes = lengths(context.input(3).elements);
  return [{ dtype, shape: sizes ? sized(node, shape, sizes, axes) : unknownLengths(shape.length) }];
}

/** Upsample: scales as an attribute (7, 8) or an input (9). */
function inferUpsample(node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape } = context.input(0);
  const attribute = node.attributes.get("scales");
  const scales = attribute?.kind === "floats" ? attribute.value : context.input(1).elements;
  return [{ dtype, shape: shape && scaled(node, context, shape, scales) }];
}

/** Spreads values given for some axes over all; an axis that is not given keeps undefined's stand-in, its scale 1. */
function perAxis(
  node: Node,
  values: readonly Dimension[],
  axes: readonly number[],
  shape: Shape,
): readonly Dimension[] {
  if (values.length !== axes.length) throw shapeMismatch(node, "there must be one value per axis", shape, values);
  return shape.map((_, axis) => (axes.includes(axis) ? values[axes.indexOf(axis)]! : 1));
}

function scaled(
  node: Node,
  context: InferenceContext,
  shape: Shape,
  scales: readonly Dimension[] | undefined,
): Shape | undefined {
  if (!scales) return unknownLengths(shape.length);
  const crops = node.string("coordinate_transformation_mode", "") === "tf_crop_and_resize";
  if (crops && context.input(1).shape?.[0] !== 0) return unknownLengths(shape.length);
  return shape.map((length, axis) => {
    const scale = scales[axis] ?? null;
    // ONNX Runtime multiplies in float32.
    if (typeof length === "number" && typeof scale === "number") return Math.floor(Math.fround(length * scale));
    return Number.isInteger(scale) ? multiplyDimensions(length, scale) : null;
  });
}

function sized(node: Node, shape: Shape, sizes: readonly Dimension[], axes: readonly number[]): Shape {
  const policy = node.string("keep_aspect_ratio_policy", "stretch");
  if (policy === "stretch") return shape.map((length, axis) => (axes.includes(axis) ? sizes[axis]! : length));
  const ratios = axes.map((axis) => {
    const [size, length] = [sizes[axis]!, shape[axis]!];
    return typeof size === "number" && typeof length === "number" ? size / length : Number.NaN;
  });
  const ratio = policy === "not_larger" ? Math.min(...ratios) : Math.max(...ratios);
  if (Number.isNaN(ratio)) return shape.map((length, axis) => (axes.includes(axis) ? null : length));
  return shape.map((length, axis) =>
    axes.includes(axis) ? Math.round(Math.fround(ratio * (length as number))) : length,
  );
}

/** GridSample: (X [batch, channels, ...], grid [batch, ...places, axes]) -> [batch, channels, ...places]. */
function inferGridSample(node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape } = context.input(0);
  const grid = context.input(1).shape;
  if (!shape || !grid) return [{ dtype }];
  if (shape.length !== grid.length) throw shapeMismatch(node, "input and grid must have the same rank", shape, grid);
  return [{ dtype, shape: [shape[0]!, shape[1]!, ...grid.slice(1, -1)] }];
}

/** AffineGrid: (theta, size [batch, channels, ...places]) -> [batch, ...places, axes]. */
function inferAffineGrid(_node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype } = context.input(0);
  const size = context.input(1).elements;
  return [{ dtype, shape: size && [size[0]!, ...size.slice(2), size.length - 2] }];
}

/** ImageDecoder -> [height, width, channels]. */
function inferImageDecoder(node: Node): readonly Fact[] {
  return [{ dtype: "uint8", shape: [null, null, node.string("pixel_format", "RGB") === "Grayscale" ? 1 : 3] }];
}

/** Resampling operators. */
export const resize: readonly Operator[] = [
  ...family(["Resize"], { since: 10, infer: inferResize }),
  ...family(["Upsample"], { since: 7, infer: inferUpsample }),
  ...family(["GridSample"], { since: 16, infer: inferGridSample }),
  ...family(["ImageDecoder"], { since: 20, infer: inferImageDecoder }),
  ...family(["AffineGrid"], { since: 20, infer: inferAffineGrid }),
];
