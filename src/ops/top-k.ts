/** TopK: the greatest or least entries along an axis. */
import type { Node } from "../program/index.ts";
import { attributeOrInput } from "./elements.ts";
import { type Fact, family, type InferenceContext, type Operator } from "./operator.ts";
import { normalizeAxis } from "./shape-check.ts";

/** TopK: (X, k), with k as an attribute before operator set 10 -> values and their positions. */
function inferTopK(node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape } = context.input(0);
  const count = node.int("k") ?? attributeOrInput(node, context, "k", 1)?.[0] ?? null;
  const axis = shape && normalizeAxis(node, node.int("axis", -1), shape.length);
  const result = shape?.map((length, index) => (index === axis ? count : length));
  return [
    { dtype, shape: result },
    { dtype: "int64", shape: result },
  ];
}

/** TopK. */
export const topK: readonly Operator[] = family(["TopK"], { infer: inferTopK });
