/** Resampling of pictures as one linear map per axis. */
import type { Node, Value } from "../../program/index.ts";
import { tensorOf } from "../../tensor/index.ts";
import { axisFromFront, fixedNumbers } from "../fixed-numbers.ts";
import type { Ops } from "../ops.ts";
import type { Decomposition } from "./decomposition.ts";
import { mapAxis } from "./map-axis.ts";
import { type Resampling, resampleMatrix } from "./resample-matrix.ts";

const resize: Decomposition = (node, ops) => {
  const x = node.input(0);
  const shape = ops.shapeOf(x);
  const axes = node.ints("axes")?.map((axis) => axisFromFront(axis, shape.length)) ?? shape.map((_, axis) => axis);
  const resized = ops.shapeOf(node.output());
  const scales = scalesOf(node, ops, axes, shape, resized);
  const coordinates = node.string("coordinate_transformation_mode", "half_pixel");
  const crops = coordinates === "tf_crop_and_resize" ? fixedNumbers(ops, node, 1, "roi") : undefined;
  const resamplings = axes.map(
    (axis, index): Resampling => ({
      length: shape[axis]!,
      resized: resized[axis]!,
      scale: scales[index]!,
      mode: node.string("mode", "nearest"),
      coordinates,
      nearest: node.string("nearest_mode", "round_prefer_floor"),
      crop: crops ? [crops[index]!, crops[index + axes.length]!] : [0, 1],
      cubicCoefficient: node.float("cubic_coeff_a", -0.75),
      excludeOutside: node.int("exclude_outside", 0) === 1,
      antialias: node.int("antialias", 0) === 1,
    }),
  );
  const matrices = resamplings.map(resampleMatrix);
  // Axes that become shorter go first: less is left for the others.
  const order = axes.map((_, index) => index).sort((a, b) => scales[a]! - scales[b]!);
  const y = order.reduce((value, index) => mapAxis(ops, value, axes[index]!, matrices[index]!), x);
  return [crops ? fillOutside(ops, node, y, axes, matrices) : y];
};

/** resized / length of each axis, or what scales say: the result is shorter where the product is no whole number. */
function scalesOf(
  node: Node,
  ops: Ops,
  axes: readonly number[],
  shape: readonly number[],
  resized: readonly number[],
): readonly number[] {
  const given = node.inputs[2] ? fixedNumbers(ops, node, 2, "scales") : [];
  if (given.length > 0) return given;
  const ratios = fixedNumbers(ops, node, 3, "sizes").map((size, index) => size / shape[axes[index]!]!);
  const policy = node.string("keep_aspect_ratio_policy", "stretch");
  if (policy === "stretch") return axes.map((axis) => resized[axis]! / shape[axis]!);
  return ratios.map(() => (policy === "not_larger" ? Math.min(...ratios) : Math.max(...ratios)));
}

/** Places outside a crop have no weights: they get the extrapolation value. */
function fillOutside(
  ops: Ops,
  node: Node,
  y: Value,
  axes: readonly number[],
  matrices: readonly (readonly (readonly number[])[])[],
): Value {
  const value = node.float("extrapolation_value", 0);
  if (value === 0) return y;
  const shape = ops.shapeOf(y);
  const inside = matrices.map((matrix) => matrix.map((row) => (row.some((weight) => weight !== 0) ? 1 : 0)));
  const product = axes.reduce<Value | undefined>((mask, axis, index) => {
    const lengths = shape.map((length, other) => (other === axis ? length : 1));
    const own = ops.constant(tensorOf(y.dtype!, lengths, inside[index]!));
    return mask ? ops.mul(mask, own) : own;
  }, undefined);
  return product ? ops.add(y, ops.mul(ops.sub(1, product), value)) : y;
}

/** Resampling. */
export const resizes: Readonly<Record<string, Decomposition>> = { Resize: resize };
