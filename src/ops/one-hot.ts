/** OneHot: indices as rows of zeros with one other number. */
import type { Dimension, Node, Shape } from "../program/index.ts";
import { type Fact, family, type InferenceContext, type Operator } from "./operator.ts";
import { normalizeAxis } from "./shape-check.ts";

/** OneHot: (indices, depth, values), a new axis of length depth. */
function inferOneHot(node: Node, context: InferenceContext): readonly Fact[] {
  const { shape } = context.input(0);
  const dtype = context.input(2).dtype;
  if (!shape) return [{ dtype }];
  const axis = normalizeAxis(node, node.int("axis", -1), shape.length + 1);
  const depth: Dimension = context.input(1).elements?.[0] ?? null;
  const result: Shape = [...shape.slice(0, axis), depth, ...shape.slice(axis)];
  return [{ dtype, shape: result }];
}

/** OneHot. */
export const oneHot: readonly Operator[] = family(["OneHot"], { since: 9, infer: inferOneHot });
