/** Gathering by index, and outputs whose length depends on the numbers. */
import type { Dimension, Node, Shape } from "../program/index.ts";
import { dimensionsDiffer, multiplyDimensions, productOf } from "./dimension.ts";
import { numbersOf, rearrange } from "./elements.ts";
import { type Fact, family, type InferenceContext, MICROSOFT, type Operator } from "./operator.ts";
import { normalizeAxis, shapeMismatch } from "./shape-check.ts";

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

/** Output shaped as the indices. */
function inferGatherElements(node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape } = context.input(0);
  const indices = context.input(1).shape;
  if (shape && indices && shape.length !== indices.length)
    throw shapeMismatch(node, "data and indices must have the same rank", shape, indices);
  return [{ dtype, shape: indices }];
}

/** GatherND: the last axis of the indices addresses the axes of the data after the batch axes. */
function inferGatherNd(node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape } = context.input(0);
  const indices = context.input(1).shape;
  const depth = indices?.at(-1);
  if (!shape || !indices || typeof depth !== "number") return [{ dtype }];
  const rest = node.int("batch_dims", 0) + depth;
  if (rest > shape.length)
    throw shapeMismatch(node, "indices must not address more axes than there are", shape, indices);
  return [{ dtype, shape: [...indices.slice(0, -1), ...shape.slice(rest)] }];
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

function inferNonZero(_node: Node, context: InferenceContext): readonly Fact[] {
  return [{ dtype: "int64", shape: [context.input(0).shape?.length ?? null, null] }];
}

/** Compress: (input, condition), along an axis or over all elements. */
function inferCompress(node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape } = context.input(0);
  const chosen = numbersOf(context.input(1))?.filter((element) => element !== 0).length ?? null;
  const given = node.int("axis");
  if (given === undefined) return [{ dtype, shape: [chosen] }];
  const axis = shape && normalizeAxis(node, given, shape.length);
  return [{ dtype, shape: shape?.map((length, index) => (index === axis ? chosen : length)) }];
}

/** Unique -> values, first positions, inverse positions, counts. */
function inferUnique(node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape } = context.input(0);
  const given = node.int("axis");
  const axis = shape && given !== undefined ? normalizeAxis(node, given, shape.length) : undefined;
  const values = given === undefined ? [null] : shape?.map((length, index) => (index === axis ? null : length));
  const inverse = given === undefined ? shape && productOf(shape) : axis !== undefined ? shape?.[axis] : undefined;
  return [
    { dtype, shape: values },
    { dtype: "int64", shape: [null] },
    { dtype: "int64", shape: [inverse ?? null] },
    { dtype: "int64", shape: [null] },
  ];
}

/** NonMaxSuppression -> [selected, 3]: batch, class, box. */
function inferNonMaxSuppression(node: Node, context: InferenceContext): readonly Fact[] {
  const [boxes, scores] = [context.input(0).shape, context.input(1).shape];
  if (boxes && scores && dimensionsDiffer(boxes[1] ?? null, scores[2] ?? null))
    throw shapeMismatch(node, "boxes and scores must have the same number of boxes", boxes, scores);
  return [{ dtype: "int64", shape: [null, 3] }];
}

/** Gathers and other selections. */
export const gather: readonly Operator[] = [
  ...family(["Gather"], { infer: inferGather }),
  ...family(["GatherElements"], { since: 11, infer: inferGatherElements }),
  ...family(["GatherND"], { since: 11, infer: inferGatherNd }),
  ...family(["GatherND"], { domain: MICROSOFT, infer: inferGatherNd }),
  ...family(["GatherBlockQuantized"], { domain: MICROSOFT, infer: inferGatherQuantized }),
  ...family(["NonZero"], { since: 9, infer: inferNonZero }),
  ...family(["Compress"], { since: 9, infer: inferCompress }),
  ...family(["Unique"], { since: 11, infer: inferUnique }),
  ...family(["NonMaxSuppression"], { since: 10, infer: inferNonMaxSuppression }),
];
