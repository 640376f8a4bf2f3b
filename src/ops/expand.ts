/** Expand: broadcasting to a shape. */
import type { Node } from "../program/index.ts";
import { broadcastShapes } from "./broadcast.ts";
import { broadcastElements, unknownLengths, vectorLength } from "./elements.ts";
import { type Fact, family, type InferenceContext, type Operator } from "./operator.ts";

function inferExpand(node: Node, context: InferenceContext): readonly Fact[] {
  const input = context.input(0);
  const target = context.input(1).elements ?? unknownLengths(vectorLength(context.input(1)));
  const shape = broadcastShapes(node, input.shape, target);
  return [{ dtype: input.dtype, shape, elements: broadcastElements(input, shape) }];
}

/** Expand. */
export const expand: readonly Operator[] = family(["Expand"], { since: 8, infer: inferExpand });
