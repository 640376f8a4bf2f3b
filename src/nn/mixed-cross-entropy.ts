/** The loss of samples that are mixtures of two. */
import type { Scope } from "../build/index.ts";
import { DTypeError, ShapeError } from "../errors.ts";
import type { Value } from "../program/index.ts";
import { shownShape } from "./check-input.ts";
import { type CrossEntropyOptions, crossEntropy } from "./cross-entropy.ts";
import { lossLabel, lossWriter, reduce } from "./loss.ts";

/** Labels of mixtures of two samples. */
export interface MixedLabels {
  /** Labels of the first, as `crossEntropy` takes them: [batch, ...places]. */
  readonly label: Value;
  /** Labels of the second. */
  readonly label2: Value;
  /** Share of the first in each mixture, in [0, 1]: [batch], of the scores' element type. */
  readonly mix: Value;
}

/**
 * mix crossEntropy(scores, label) + (1 - mix) crossEntropy(scores, label2), mixture by mixture; the mean of that by default. The
 * same as `crossEntropy` with mixed probabilities, which need not be written out.
 *
 * Shapes: scores [batch, classes, ...places], labels [batch, ...places], mix [batch] -> scalar, or [batch, ...places] for reduction
 * "none".
 *
 * @throws ShapeError, DTypeError if scores, labels and mix do not fit together.
 * @throws OptionError if labelSmoothing is out of range.
 * @see Zhang, Cisse, Dauphin, Lopez-Paz 2018, "mixup: Beyond Empirical Risk Minimization", arXiv:1710.09412
 * @example
 * const loss: LossFunction = ({ image, label, label2, mix }, scope) => {
 *   const labels = { label: label!, label2: label2!, mix: mix! };
 *   return nn.mixedCrossEntropy(model(image!, scope), labels, scope);
 * };
 */
export function mixedCrossEntropy(
  scores: Value,
  { label, label2, mix }: MixedLabels,
  scope: Scope,
  { labelSmoothing = 0, reduction }: Pick<CrossEntropyOptions, "labelSmoothing" | "reduction"> = {},
): Value {
  const name = lossLabel(scope, "mixedCrossEntropy");
  const ops = lossWriter(scope, "mixedCrossEntropy");
  if (mix.dtype !== scores.dtype) {
    throw new DTypeError(
      `${name}: mix must be ${scores.dtype}, as the scores, got ${mix.dtype}. Convert it with cast.`,
    );
  }
  if (mix.shape?.length !== 1 || mix.shape[0] !== scores.shape?.[0]) {
    throw new ShapeError(
      `${name}: mix must have one number per sample of the scores ${shownShape(scores)}, got ${shownShape(mix)}.`,
    );
  }
  const inner = scope.child("mixedCrossEntropy");
  const lossOf = (labels: Value) => crossEntropy(scores, labels, inner, { labelSmoothing, reduction: "none" });
  const [first, second] = [lossOf(label), lossOf(label2)];
  const places = first.shape!.length - 1;
  const share = places === 0 ? mix : ops.reshape(mix, [-1, ...new Array<number>(places).fill(1)]);
  return reduce(ops, ops.add(second, ops.mul(share, ops.sub(first, second))), reduction);
}
