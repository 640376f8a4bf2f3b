/** How far a quantized network's outputs are from the float network's: as distributions of classes, or as numbers. */
import type { Scope } from "../build/index.ts";
import { klDivergence } from "../nn/index.ts";
import type { Layer } from "../prepare/index.ts";
import type { Value } from "../program/index.ts";

/** What an output is: scores of classes, probabilities of classes, or numbers of any other kind. */
export type OutputKind = "scores" | "probabilities" | "numbers";

/** Returns what a program's output is. */
export function outputKind(output: Value, layers: readonly Layer[]): OutputKind {
  const isClassifier = layers.some((layer) => layer.isClassifier);
  if (!isClassifier) return "numbers";
  return output.producer?.operator === "Softmax" ? "probabilities" : "scores";
}

/**
 * Writes the divergence of the float network's classes from the quantized network's, the mean over rows; for numbers the mean
 * squared difference over `power`.
 *
 * Classes are the last axis that is not of length 1.
 */
export function outputDistance(
  kind: OutputKind,
  { student, teacher, power }: { readonly student: Value; readonly teacher: Value; readonly power: number },
  scope: Scope,
): Value {
  const { ops } = scope;
  if (kind === "numbers") {
    return ops.div(ops.reduceMean(ops.square(ops.sub(student, teacher)), { keepDims: false }), power);
  }
  const classes = ops.shapeOf(student).findLast((length, axis) => axis > 0 && length > 1) ?? 1;
  const rows = (value: Value): Value => ops.reshape(value, [-1, classes]);
  const logarithms = (value: Value): Value =>
    kind === "scores" ? ops.logSoftmax(rows(value)) : ops.log(ops.max(rows(value), 1e-12));
  const settings = { reduction: "batchMean", logTarget: true } as const;
  return klDivergence(logarithms(student), logarithms(teacher), scope, settings);
}
