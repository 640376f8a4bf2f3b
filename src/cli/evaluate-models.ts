/** Evaluating models on one data set: what `evaluate`, `compare` and `quantize --data` share. */
import { type Dataset, limitSamples, type ModelInput } from "../data/index.ts";
import type { EvaluatedModel, EvaluateOptions, TimingOptions } from "../evaluate/index.ts";
import { findPreprocessing, openDataset, readModelFile } from "../files/index.ts";
import { type ModelFile, modelSizeBytes } from "../onnx/index.ts";
import type { Progress } from "../quantize/index.ts";
import type { Runtime } from "../runtime/index.ts";
import type { CommandContext, CommonOptions } from "./command.ts";
import { type PreprocessingOptions, statedPreprocessing } from "./data-options.ts";
import { createProgress } from "./progress.ts";
import { chooseRuntime, type RuntimeChoice } from "./runtime-choice.ts";

/** A model that is to be evaluated. */
export interface Subject {
  /** For messages and reports. */
  readonly path: string;
  readonly file: ModelFile;
  readonly inputs: readonly ModelInput[];
}

/** Options that say on what, and how, models are evaluated. */
export interface EvaluationOptions extends CommonOptions, PreprocessingOptions, RuntimeChoice {
  readonly data: string;
  readonly limit?: number;
  readonly seed?: number;
  readonly batch?: number;
  /** Seconds of measuring speed, for each model; 0: none. */
  readonly timing?: number;
}

/** Models ready to be evaluated, the first being what the others are compared with. */
export interface EvaluationSetup {
  readonly models: readonly EvaluatedModel[];
  readonly options: EvaluateOptions;
  /** As the first model gets it. */
  readonly dataset: Dataset;
  /** Name and version of what runs the models. */
  readonly runtime: string;
}

/** Reads models from disk. All are read, and so checked, before the first is run. */
export async function readSubjects(paths: readonly string[]): Promise<Subject[]> {
  const subjects: Subject[] = [];
  for (const path of paths) {
    const { file, inputs } = await readModelFile(path);
    subjects.push({ path, file, inputs });
  }
  return subjects;
}

/** Opens the data and loads the models, lets `work` use them, and releases them. Shows progress; Ctrl-C stops it. */
export async function withEvaluatedModels<T>(
  subjects: readonly Subject[],
  options: EvaluationOptions,
  context: CommandContext,
  work: (setup: EvaluationSetup) => Promise<T>,
): Promise<T> {
  const datasets = await openDatasets(subjects, options);
  const runtime = await chooseRuntime(options);
  const progress = await createProgress(context.stderr, options);
  const models: EvaluatedModel[] = [];
  try {
    for (const [i, { path, file, inputs }] of subjects.entries()) {
      const session = await runtime.createSession(file);
      models.push({ path, sizeBytes: modelSizeBytes(file), session, inputs, dataset: datasets[i]! });
    }
    const onProgress = (step: Progress): void => {
      context.signal.throwIfAborted();
      progress.update(step);
    };
    const { batch: batchSize, timing: seconds } = options;
    const timing: TimingOptions | false = seconds === 0 ? false : seconds === undefined ? {} : { seconds };
    const evaluateOptions = { batchSize, timing, onProgress };
    return await work({
      models,
      options: evaluateOptions,
      dataset: datasets[0]!,
      runtime: describeRuntime(runtime, options),
    });
  } finally {
    progress.stop();
    await Promise.all(models.map(({ session }) => session.release()));
  }
}

function describeRuntime(runtime: Runtime, { threads }: RuntimeChoice): string {
  return `${runtime.description}, ${runtime.device}${threads === undefined ? "" : `, ${threads} ${threads === 1 ? "thread" : "threads"}`}`;
}

/** Opens the data for each model; models that want the same numbers share one data set, which is then read once. */
async function openDatasets(subjects: readonly Subject[], options: EvaluationOptions): Promise<Dataset[]> {
  const { data, limit, seed } = options;
  const preprocessing = await statedPreprocessing(options);
  const shared = new Map<string, Dataset>();
  const datasets: Dataset[] = [];
  for (const { path, inputs } of subjects) {
    const modelPath = (await hasPreprocessing(path)) ? path : subjects[0]!.path;
    const opened = await openDataset(data, { inputs, modelPath, preprocessing });
    const key = JSON.stringify(opened.preprocessing ?? inputs.map(({ name }) => name));
    const dataset = shared.get(key) ?? limitSamples(opened, limit, seed);
    shared.set(key, dataset);
    datasets.push(dataset);
  }
  return datasets;
}

/** A quantized model often lies elsewhere than its original, without the file that says how pictures are prepared. */
async function hasPreprocessing(modelPath: string): Promise<boolean> {
  return Object.keys(await findPreprocessing({}, { modelPath })).length > 0;
}
