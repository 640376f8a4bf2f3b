/** Gather: slices by index, from float or quantized tables. */
import type { Dimension, Node, Shape } from "../program/index.ts";
import { multiplyDimensions } from "./dimension.ts";
import { numbersOf, rearrange } from "./elements.ts";
import { type Fact, family, type InferenceContext, MICROSOFT, type Operator } from "./operator.ts";
import { normalizeAxis } from "./shape-check.ts";

/** Shapes: data [...before, length, ...after], indices [...places] -> [...before, ...places, ...after]. */
function gatheredShape(data: Shape | undefined, indices: Shape | undefined, axis: number): Shape | undefined {
  return data && indices && [...data.slice(0, axis), ...indices, ...data.slice(axis + 1)];
}

function inferGather(node: Node, context: InferenceContext): readonly Fact[] {
  const [data, indices] = [context.input(0), context.input(1)];
  if (!data.shape || !indices.shape) return [{ dtype: data.dtype }];
  const axis = normalizeAxis(node, node.int("axis", 0), data.shape.length);
  const shape = gatheredShape(data.shape, indices.shape, axis);
  return [{ dtype: data.dtype, shape, elements: gatheredElements(data, indices, shape, axis) }];
}

function gatheredElements(
  data: Fact,
  indices: Fact,
  shape: Shape | undefined,
  axis: number,
): readonly Dimension[] | undefined {
  const places = numbersOf(indices);
  const length = data.shape?.[axis];
  if (!places || typeof length !== "number") return undefined;
  const rank = indices.shape!.length;
  return rearrange(data, shape, (position) => {
    const inner = position.slice(axis, axis + rank);
    const at = inner.reduce((offset, place, index) => offset * (indices.shape![index] as number) + place, 0);
    const place = places[at]!;
    return [...position.slice(0, axis), place < 0 ? place + length : place, ...position.slice(axis + rank)];
  });
}

/** GatherBlockQuantized: (data, indices, scales, zero_points); 4-bit codes may be packed in uint8 along the last axis. */
function inferGatherQuantized(node: Node, context: InferenceContext): readonly Fact[] {
  const [data, indices, scales] = [context.input(0), context.input(1).shape, context.input(2)];
  if (!data.shape || !indices) return [{ dtype: scales.dtype }];
  const axis = normalizeAxis(node, node.int("gather_axis", 0), data.shape.length);
  const perByte = data.dtype === "uint8" ? 8 / node.int("bits", 4) : 1;
  const last = data.shape.length - 1;
  const unpacked = data.shape.map((length, index) => (index === last ? multiplyDimensions(length, perByte) : length));
  return [{ dtype: scales.dtype, shape: gatheredShape(unpacked, indices, axis) }];
}

/** Gather and GatherBlockQuantized. */
export const gather: readonly Operator[] = [
  ...family(["Gather"], { infer: inferGather }),
  ...family(["GatherBlockQuantized"], { domain: MICROSOFT, infer: inferGatherQuantized }),
];
