/** Pooling over whole images. */
import type { Node } from "../program/index.ts";
import { type Fact, family, type InferenceContext, MICROSOFT, type Operator } from "./operator.ts";
import { shapeMismatch } from "./shape-check.ts";

function inferGlobalPool(node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape } = context.input(0);
  if (shape && shape.length < 2) throw shapeMismatch(node, "input must have a batch and a channel axis", shape);
  const last = node.int("channels_last", 0) === 1 ? -1 : 1;
  const channels = shape?.at(last) ?? null;
  const ones = shape?.slice(2).map(() => 1);
  return [{ dtype, shape: shape && (last === 1 ? [shape[0]!, channels, ...ones!] : [shape[0]!, ...ones!, channels]) }];
}

/** Global pooling. */
export const globalPool: readonly Operator[] = [
  ...family(["GlobalAveragePool", "GlobalLpPool", "GlobalMaxPool"], { infer: inferGlobalPool }),
  ...family(["QLinearGlobalAveragePool"], { domain: MICROSOFT, infer: inferGlobalPool }),
];
