/** Latency and throughput of models. */
import { type BatchFeeds, fixedBatchSize, type Sample, toFeeds } from "../data/index.ts";
import type { Progress } from "../quantize/index.ts";
import { type EvaluatedModel, outputName } from "./sample-outputs.ts";
import { quantile, type TimingOptions, timeAlternately } from "./timing.ts";

/** Speed of one model. */
export interface Speed {
  /** Milliseconds of each run with one sample; those of all models were taken in turn. */
  readonly latencyRunsMs: Float64Array;
  /** Samples per second, from the median time of a full batch. */
  readonly throughput: number;
}

/** Throughput needs no distribution: fewer runs will do. */
const BATCH_TIMING: TimingOptions = { warmupRuns: 1, minRuns: 5, maxRuns: 30, seconds: 1 };

/**
 * Measures models in turn, on samples that are in memory.
 *
 * @param samples For each model, the samples of one batch.
 */
export async function measureSpeeds(
  models: readonly EvaluatedModel[],
  samples: readonly (readonly Sample[])[],
  timing: TimingOptions,
  onProgress: ((progress: Progress) => void) | undefined,
): Promise<readonly Speed[]> {
  const run = (model: EvaluatedModel, feeds: BatchFeeds) => () => model.session.run(feeds, [outputName(model)]);
  onProgress?.({ stage: "measure speed", done: 0, total: 2, unit: "batch sizes" });
  const singles = models.map((model, i) => run(model, feedsOf(model, samples[i]!, 1).feeds));
  const latencies = await timeAlternately(singles, timing);
  onProgress?.({ stage: "measure speed", done: 1, total: 2, unit: "batch sizes" });
  const batches = models.map((model, i) => feedsOf(model, samples[i]!, samples[i]!.length));
  const batchRuns = await timeAlternately(
    models.map((model, i) => run(model, batches[i]!.feeds)),
    { ...BATCH_TIMING, ...(timing.seconds === undefined ? {} : { seconds: timing.seconds / 2 }) },
  );
  onProgress?.({ stage: "measure speed", done: 2, total: 2, unit: "batch sizes" });
  return models.map((_, i) => ({
    latencyRunsMs: latencies[i]!,
    throughput: (1000 * batches[i]!.size) / quantile(batchRuns[i]!, 0.5),
  }));
}

/** `count` samples, or as many as the model demands. */
function feedsOf(
  model: EvaluatedModel,
  samples: readonly Sample[],
  count: number,
): { feeds: BatchFeeds; size: number } {
  const size = fixedBatchSize(model.inputs) ?? count;
  const chosen = Array.from({ length: size }, (_, i) => samples[i % samples.length]!);
  return { feeds: toFeeds(chosen, model.inputs, { where: model.dataset.description }), size };
}
