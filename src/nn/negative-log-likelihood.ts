/** The loss of logarithms of probabilities. */
import type { Scope } from "../build/index.ts";
import type { Value } from "../program/index.ts";
import { type LabelLossOptions, placeLabels, reduceLabelLosses } from "./labels.ts";
import { lossLabel, lossWriter } from "./loss.ts";

/**
 * -log p of each label, its mean by default: torch.nn.NLLLoss. `crossEntropy` does this and the softmax before it in one.
 *
 * Shapes: logProbabilities [batch, classes, ...places], labels [batch, ...places], int64 or int32 in [0, classes) -> scalar, or
 * as the labels for reduction "none".
 *
 * @throws ShapeError, DTypeError if the two do not fit together.
 * @throws OptionError if there is not one weight per class.
 * @example
 * const loss = nn.negativeLogLikelihood(logProbabilities, label, scope);
 */
export function negativeLogLikelihood(
  logProbabilities: Value,
  labels: Value,
  scope: Scope,
  options: LabelLossOptions = {},
): Value {
  const ops = lossWriter(scope, "negativeLogLikelihood");
  const label = lossLabel(scope, "negativeLogLikelihood");
  const { index, weight } = placeLabels(ops, logProbabilities, labels, options, label);
  const picked = ops.neg(ops.gatherElements(logProbabilities, index, 1));
  return reduceLabelLosses(ops, weight ? ops.mul(picked, weight) : picked, weight, options.reduction);
}
