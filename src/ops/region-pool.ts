/** Pooling over regions of interest. */
import type { Node } from "../program/index.ts";
import { type Fact, family, type InferenceContext, type Operator } from "./operator.ts";
import { assertRank } from "./shape-check.ts";

/** RoiAlign: (X [batch, channels, height, width], rois [count, 4], batch_indices [count]). */
function inferRoiAlign(node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape: x } = context.input(0);
  const rois = context.input(1).shape;
  assertRank(node, "input", x, 4);
  const count = rois?.[0] ?? context.input(2).shape?.[0] ?? null;
  return [{ dtype, shape: [count, x?.[1] ?? null, node.int("output_height", 1), node.int("output_width", 1)] }];
}

/** MaxRoiPool: (X, rois [count, 5]). */
function inferMaxRoiPool(node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape: x } = context.input(0);
  assertRank(node, "input", x, 4);
  const pooled = node.ints("pooled_shape") ?? [null, null];
  return [{ dtype, shape: [context.input(1).shape?.[0] ?? null, x?.[1] ?? null, ...pooled] }];
}

/** RoiAlign and MaxRoiPool. */
export const regionPool: readonly Operator[] = [
  ...family(["RoiAlign"], { since: 10, infer: inferRoiAlign }),
  ...family(["MaxRoiPool"], { infer: inferMaxRoiPool }),
];
