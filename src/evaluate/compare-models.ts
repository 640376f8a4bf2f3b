/** Two models side by side: what one decides where the other decides differently, and how much faster it is. */
import { type EvaluateOptions, type EvaluationRun, evaluateModels } from "./evaluate-models.ts";
import type { EvaluatedModel } from "./sample-outputs.ts";
import { quantile } from "./timing.ts";

/** A sample on which two classifiers decide differently. */
export interface Disagreement {
  readonly index: number;
  /** File of the sample, or its number. */
  readonly sample: string;
  /** The right class; null without labels. */
  readonly label: number | null;
  readonly referenceClass: number;
  readonly candidateClass: number;
}

/** A number with the middle half of what was measured. */
export interface Spread {
  readonly median: number;
  readonly quartiles: readonly [number, number];
}

/** A comparison of a candidate with a reference. */
export interface Comparison {
  readonly evaluation: EvaluationRun;
  /** Samples decided differently, in order; null when the models are no classifiers. */
  readonly disagreements: readonly Disagreement[] | null;
  /** Top-1 of the candidate less that of the reference, percentage points; null without labels. */
  readonly accuracyDifference: number | null;
  /**
   * Standard error of that difference, percentage points. The samples are the same, so only those on which one model is
   * right and the other wrong count (as in McNemar's test): sqrt(gained + lost - (gained - lost)^2 / n) / n.
   */
  readonly accuracyDifferenceStandardError: number | null;
  /** Latency of the candidate divided by that of the reference, run by run in turn; null when speed was not measured. */
  readonly latencyRatio: Spread | null;
}

/**
 * Compares two models sample by sample. See `evaluateModels` for how they are run, measured, and what is thrown.
 *
 * @example
 * const { latencyRatio, disagreements } = await compareModels(original, quantized);
 */
export async function compareModels(
  reference: EvaluatedModel,
  candidate: EvaluatedModel,
  options: EvaluateOptions = {},
): Promise<Comparison> {
  const evaluation = await evaluateModels([reference, candidate], options);
  const disagreements = findDisagreements(reference, evaluation);
  const [first, second] = evaluation.models;
  const labelled = disagreements !== null && reference.dataset.labels !== undefined;
  const gained = disagreements?.filter(({ label, candidateClass }) => label === candidateClass).length ?? 0;
  const lost = disagreements?.filter(({ label, referenceClass }) => label === referenceClass).length ?? 0;
  const { count } = reference.dataset;
  const variance = gained + lost - (gained - lost) ** 2 / count;
  return {
    evaluation,
    disagreements,
    accuracyDifference: labelled ? second!.top1! - first!.top1! : null,
    accuracyDifferenceStandardError: labelled ? (100 * Math.sqrt(variance)) / count : null,
    latencyRatio: ratioOf(evaluation.latencyRunsMs),
  };
}

function findDisagreements(
  { dataset }: EvaluatedModel,
  { predictions: [reference, candidate] }: EvaluationRun,
): readonly Disagreement[] | null {
  if (!reference || !candidate) return null;
  const found: Disagreement[] = [];
  for (const [index, referenceClass] of reference.entries()) {
    const candidateClass = candidate[index]!;
    if (referenceClass === candidateClass) continue;
    const label = dataset.labels?.[index] ?? null;
    found.push({ index, sample: dataset.sampleName(index), label, referenceClass, candidateClass });
  }
  return found;
}

function ratioOf([reference, candidate]: readonly Float64Array[]): Spread | null {
  if (!reference || !candidate) return null;
  const ratios = candidate.map((ms, i) => ms / reference[i]!);
  return { median: quantile(ratios, 0.5), quartiles: [quantile(ratios, 0.25), quantile(ratios, 0.75)] };
}
