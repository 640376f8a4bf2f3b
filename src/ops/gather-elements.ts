/** Gathering single elements, or slices addressed by several axes. */
import type { Node } from "../program/index.ts";
import { type Fact, family, type InferenceContext, MICROSOFT, type Operator } from "./operator.ts";
import { shapeMismatch } from "./shape-check.ts";

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

/** GatherElements and GatherND. */
export const gatherElements: readonly Operator[] = [
  ...family(["GatherElements"], { since: 11, infer: inferGatherElements }),
  ...family(["GatherND"], { since: 11, infer: inferGatherNd }),
  ...family(["GatherND"], { domain: MICROSOFT, infer: inferGatherNd }),
];
