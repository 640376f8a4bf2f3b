/** Accuracy, agreement and speed of models on one data set. */
import { DataError, OptionError } from "../errors.ts";
import type { Evaluation, Progress } from "../quantize/index.ts";
import { type Accuracy, type AccuracyCounter, accuracyCounter } from "./accuracy.ts";
import { type JointBatch, jointBatches } from "./joint-batches.ts";
import { type DifferenceMeter, differenceMeter, type OutputDifference } from "./output-difference.ts";
import { type EvaluatedModel, outputName, runSamples, type SampleOutput } from "./sample-outputs.ts";
import { measureSpeeds, type Speed } from "./speed.ts";
import { quantile, type TimingOptions } from "./timing.ts";

/** How models are evaluated. */
export interface EvaluateOptions {
  /** Samples that are run together; models with a fixed batch run in their own. Default 16. */
  readonly batchSize?: number | undefined;
  /** How long to measure speed; false: not at all (latency and throughput are then NaN). */
  readonly timing?: TimingOptions | false | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** What is known about one model afterwards; differences are against the first model, and null for it. */
export interface ModelEvaluation extends Evaluation {
  /** Name of the output that was looked at. */
  readonly output: string;
  readonly outputMaxDifference: number | null;
  readonly outputCosine: number | null;
}

/** The outcome for all models, and what it rests on. */
export interface EvaluationRun {
  readonly models: readonly ModelEvaluation[];
  /** For each model the class with the highest score of each sample; null for models that are no classifiers. */
  readonly predictions: readonly (Int32Array | null)[];
  /** For each model but the first the SQNR of each sample's output, dB; null for the first. */
  readonly sampleSqnrDb: readonly (Float64Array | null)[];
  /** For each model the milliseconds of each run at batch 1, measured in turn; empty when timing was off. */
  readonly latencyRunsMs: readonly Float64Array[];
}

/**
 * Evaluates models on the same samples, batch by batch and all of them together, so that memory is bounded by the batch:
 * top-1 and top-5 against labels (the first of equal scores wins), agreement and distance of outputs to the first model's,
 * latency of one sample and throughput of a batch. Models that are no classifiers are compared by their outputs.
 *
 * Speed is measured after that, with nothing else running, models in turn. Latency is that of one run with one sample (of
 * the model's own batch where that is fixed), throughput that of runs with `batchSize` samples.
 *
 * @throws DataError if samples or labels do not fit a model, or outputs differ in shape. OptionError for an unknown output.
 * @example
 * const { models } = await evaluateModels([{ path, sizeBytes, session, inputs, dataset }]);
 */
export async function evaluateModels(
  models: readonly EvaluatedModel[],
  { batchSize = 16, timing = {}, onProgress }: EvaluateOptions = {},
): Promise<EvaluationRun> {
  const [first] = models;
  if (first === undefined) throw new OptionError("evaluate: there must be a model, got none.");
  const total = first.dataset.count;
  if (total === 0) throw new DataError(`${first.dataset.description}: must hold samples, got none.`);
  const outputs = models.map(outputName);
  const counters = models.map((model) => accuracyCounter(model.dataset, model.path));
  const meters = models.map((model, i) => (i === 0 ? null : differenceMeter(total, model.path)));
  const datasets = models.map(({ dataset }) => dataset);
  let head: JointBatch["samples"] | undefined;
  onProgress?.({ stage: "evaluate", done: 0, total, unit: "samples" });
  for await (const { start, samples } of jointBatches(datasets, batchSize)) {
    head ??= samples;
    await addBatch(models, { start, samples, counters, meters });
    onProgress?.({ stage: "evaluate", done: Math.min(total, start + batchSize), total, unit: "samples" });
  }
  const firstBatch = datasets.map((dataset) => head!.get(dataset)!);
  const speeds = timing === false ? [] : await measureSpeeds(models, firstBatch, timing, onProgress);
  const accuracies = counters.map((counter) => counter.result());
  const differences = meters.map((meter) => meter?.result() ?? null);
  return {
    models: models.map(({ path, sizeBytes }, i) => ({
      path,
      sizeBytes,
      count: total,
      ...percentages(accuracies[i]!),
      ...describeSpeed(speeds[i]),
      ...describeDifference(differences[i] ?? null),
      output: outputs[i]!,
    })),
    predictions: accuracies.map(({ predictions }) => predictions),
    sampleSqnrDb: differences.map((difference) => difference?.sampleSqnrDb ?? null),
    latencyRunsMs: speeds.map(({ latencyRunsMs }) => latencyRunsMs),
  };
}

interface BatchInProgress extends JointBatch {
  readonly counters: readonly AccuracyCounter[];
  readonly meters: readonly (DifferenceMeter | null)[];
}

async function addBatch(
  models: readonly EvaluatedModel[],
  { start, samples, counters, meters }: BatchInProgress,
): Promise<void> {
  let reference: readonly SampleOutput[] | undefined;
  for (const [i, model] of models.entries()) {
    const results = await runSamples(model, samples.get(model.dataset)!, start);
    reference ??= results;
    for (const [j, result] of results.entries()) {
      counters[i]!.add(start + j, result);
      meters[i]?.add(start + j, reference[j]!, result);
    }
  }
}

function percentages({ top1, top5, top1StandardError }: Accuracy): Omit<Accuracy, "predictions"> {
  return { top1, top5, top1StandardError };
}

function describeSpeed(speed: Speed | undefined): Pick<Evaluation, "latencyMs" | "throughput"> {
  if (speed === undefined) return { latencyMs: { median: Number.NaN, p95: Number.NaN }, throughput: Number.NaN };
  const { latencyRunsMs, throughput } = speed;
  return { latencyMs: { median: quantile(latencyRunsMs, 0.5), p95: quantile(latencyRunsMs, 0.95) }, throughput };
}

function describeDifference(difference: OutputDifference | null) {
  return {
    agreement: difference?.agreement ?? null,
    outputSqnrDb: difference?.sqnrDb ?? null,
    outputDivergence: difference?.divergence ?? null,
    outputMaxDifference: difference?.maxAbsolute ?? null,
    outputCosine: difference?.cosine ?? null,
  };
}
