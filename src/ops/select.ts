/** Selections whose length depends on the numbers. */
import type { Node } from "../program/index.ts";
import { dimensionsDiffer, productOf } from "./dimension.ts";
import { numbersOf } from "./elements.ts";
import { type Fact, family, type InferenceContext, type Operator } from "./operator.ts";
import { normalizeAxis, shapeMismatch } from "./shape-check.ts";

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

/** NonZero, Compress, Unique and NonMaxSuppression. */
export const select: readonly Operator[] = [
  ...family(["NonZero"], { since: 9, infer: inferNonZero }),
  ...family(["Compress"], { since: 9, infer: inferCompress }),
  ...family(["Unique"], { since: 11, infer: inferUnique }),
  ...family(["NonMaxSuppression"], { since: 10, infer: inferNonMaxSuppression }),
];
