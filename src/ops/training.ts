/** Operators of training graphs: dropout and losses. */
import type { Node } from "../program/index.ts";
import { dimensionsDiffer } from "./dimension.ts";
import { type Fact, family, type InferenceContext, type Operator } from "./operator.ts";
import { shapeMismatch } from "./shape-check.ts";

/** Dropout -> data, mask; the mask has the data's type before operator set 10. */
function inferDropout(_node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape, elements } = context.input(0);
  return [
    { dtype, shape, elements },
    { dtype: context.opset < 10 ? dtype : "bool", shape },
  ];
}

/** Shapes: scores [batch, classes, ...places], target [batch, ...places] -> loss like target, or a scalar; log probabilities. */
function inferLoss(node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape: scores } = context.input(0);
  const target = context.input(1).shape;
  if (scores && target && (scores.length !== target.length + 1 || dimensionsDiffer(scores[0]!, target[0]!)))
    throw shapeMismatch(node, "target must be shaped as the scores without their classes", scores, target);
  const loss = node.string("reduction", "mean") === "none" ? target : [];
  return [
    { dtype, shape: loss },
    { dtype, shape: scores },
  ];
}

/** Dropout and losses. */
export const training: readonly Operator[] = [
  ...family(["Dropout"], { infer: inferDropout }),
  ...family(["NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss"], { since: 12, infer: inferLoss }),
];
