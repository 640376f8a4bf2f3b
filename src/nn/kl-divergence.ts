/** The divergence of two distributions. */
import type { Scope } from "../build/index.ts";
import type { Value } from "../program/index.ts";
import { assertAlike, lossLabel, lossWriter, type Reduction, reduce } from "./loss.ts";

/** How the divergence is made. */
export interface KlDivergenceOptions {
  /** Default "mean", over all elements, as in PyTorch; "batchMean" is the divergence: the sum divided by the batch. */
  readonly reduction?: Reduction | "batchMean";
  /** Whether the target holds logarithms of probabilities too. Default false. */
  readonly logTarget?: boolean;
}

/**
 * p (log p - log q) for target probabilities p and predicted log q: torch.nn.KLDivLoss. Where p is 0, so is the result.
 *
 * Shapes: logProbabilities and target alike, [batch, ...] -> scalar, or as the target for reduction "none".
 *
 * @throws ShapeError, DTypeError if they differ in shape or element type.
 * @see Kullback, Leibler 1951, "On Information and Sufficiency"
 * @example
 * const student = nn.logSoftmax()(scores, scope);
 * const loss = nn.klDivergence(student, teacher, scope, { reduction: "batchMean" });
 */
export function klDivergence(
  logProbabilities: Value,
  target: Value,
  scope: Scope,
  { reduction = "mean", logTarget = false }: KlDivergenceOptions = {},
): Value {
  assertAlike(logProbabilities, target, lossLabel(scope, "klDivergence"));
  const ops = lossWriter(scope, "klDivergence");
  const probabilities = logTarget ? ops.exp(target) : target;
  // Below the smallest normal number, p log p is 0 to any accuracy, and log p is finite.
  const logarithms = logTarget ? target : ops.log(ops.max(target, SMALLEST_NORMAL));
  const losses = ops.mul(probabilities, ops.sub(logarithms, logProbabilities));
  if (reduction !== "batchMean") return reduce(ops, losses, reduction);
  return ops.mul(reduce(ops, losses, "sum"), 1 / ops.shapeOf(target)[0]!);
}

const SMALLEST_NORMAL = 2 ** -126;
