/** What sets two models apart: the contract of `compare --json`. */
import { type Comparison, compareModels, type ModelEvaluation } from "../evaluate/index.ts";
import type { EvaluationSetup } from "./evaluate-models.ts";

/** A sample on which the second model's output is far from the first's. */
export interface WorstSample {
  /** Number in the data set (after `--limit`). */
  readonly index: number;
  /** Its file, or its number. */
  readonly sample: string;
  readonly sqnrDb: number;
  /** The right class; null without labels. */
  readonly label: number | null;
  /** Classes the two models choose; null for models that are no classifiers. */
  readonly classes: readonly [number, number] | null;
}

/** A comparison of two models on the same samples. */
export interface ComparisonRecord extends Omit<Comparison, "evaluation"> {
  readonly models: readonly ModelEvaluation[];
  /** Percent of decisions that are the same; null for models that decide nothing. */
  readonly agreement: number | null;
  /** SQNR of the second model's outputs against the first's, dB; null when nothing differs. */
  readonly outputSqnrDb: number | null;
  readonly outputMaxDifference: number | null;
  /** Bytes of the second over bytes of the first. */
  readonly sizeRatio: number;
  readonly throughputRatio: number;
  /** The samples with the lowest SQNR first. */
  readonly worstSamples: readonly WorstSample[];
}

/** Compares two models; lists `worstCount` samples. */
export async function compareSetup(setup: EvaluationSetup, worstCount: number): Promise<ComparisonRecord> {
  const [reference, candidate] = setup.models;
  const { evaluation, ...comparison } = await compareModels(reference!, candidate!, setup.options);
  const [first, second] = evaluation.models as [ModelEvaluation, ModelEvaluation];
  return {
    models: evaluation.models,
    agreement: second.agreement,
    outputSqnrDb: Number.isFinite(second.outputSqnrDb) ? second.outputSqnrDb : null,
    outputMaxDifference: second.outputMaxDifference,
    sizeRatio: second.sizeBytes / first.sizeBytes,
    throughputRatio: second.throughput / first.throughput,
    ...comparison,
    worstSamples: worstSamples(setup, evaluation, worstCount),
  };
}

function worstSamples(
  { dataset }: EvaluationSetup,
  { sampleSqnrDb, predictions }: Comparison["evaluation"],
  count: number,
): WorstSample[] {
  const [first, second] = predictions;
  return Array.from(sampleSqnrDb[1] ?? [], (sqnrDb, index) => ({ index, sqnrDb }))
    .filter(({ sqnrDb }) => Number.isFinite(sqnrDb))
    .sort((a, b) => a.sqnrDb - b.sqnrDb)
    .slice(0, count)
    .map(({ index, sqnrDb }) => ({
      index,
      sample: dataset.sampleName(index),
      sqnrDb,
      label: dataset.labels?.[index] ?? null,
      classes: first && second ? [first[index]!, second[index]!] : null,
    }));
}
