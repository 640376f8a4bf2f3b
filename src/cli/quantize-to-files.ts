/** The work of `modicum quantize`: everything is checked first, then quantized and measured, and written in the end. */
import { feedSource, limitSamples, type ModelInput } from "../data/index.ts";
import { DataError } from "../errors.ts";
import { evaluateModels } from "../evaluate/index.ts";
import {
  type OpenDatasetOptions,
  type OpenedDataset,
  openDataset,
  readModelFile,
  writeFileAtomically,
  writeModelFile,
} from "../files/index.ts";
import {
  type CalibrationData,
  type Evaluation,
  type QuantizationReport,
  type QuantizeOptions,
  quantize,
  resolveSettings,
} from "../quantize/index.ts";
import { quantizationReportHtml } from "../report/index.ts";
import type { CommandContext } from "./command.ts";
import type { QuantizeCommandOptions } from "./commands/quantize.ts";
import { statedPreprocessing } from "./data-options.ts";
import { withEvaluatedModels } from "./evaluate-models.ts";
import { assertWritable, defaultOutputPath } from "./output-path.ts";
import { createProgress } from "./progress.ts";
import { methodFromFlags } from "./quantize-options.ts";
import { chooseRuntime } from "./runtime-choice.ts";

/** What was made. */
export interface QuantizationOutcome {
  readonly report: QuantizationReport;
  /** Of the float model and the quantized one; empty when no data were given. */
  readonly evaluations: readonly Evaluation[];
  /** Every file that was written, the model first. */
  readonly written: readonly string[];
}

/** Quantizes the model at `path` as the options say. */
export async function quantizeToFiles(
  path: string,
  options: QuantizeCommandOptions,
  context: CommandContext,
): Promise<QuantizationOutcome> {
  const started = performance.now();
  const method: QuantizeOptions = { ...methodFromFlags(options), runtime: await chooseRuntime(options) };
  const { weights, activations, simulate, target } = resolveSettings(method);
  const suffix = [
    `w${weights}a${activations}`,
    ...(target === "cpu" ? [] : [target]),
    ...(simulate ? ["simulated"] : []),
  ];
  const output = options.output ?? defaultOutputPath(path, suffix.join("-"));
  const loaded = await readModelFile(path);
  const force = options.force ?? false;
  await assertWritable(output, { option: "--output", inputs: loaded.paths, force });
  if (options.report) {
    await assertWritable(options.report, { option: "--report", inputs: [...loaded.paths, output], force });
  }
  const calibration = await openCalibration(path, loaded.inputs, options);
  const result = await withProgress(options, context, (onProgress) =>
    quantize(loaded.program, { ...method, ...(calibration && { calibration }), signal: context.signal, onProgress }),
  );
  const evaluations = await evaluateBoth(
    [
      { path, file: loaded.file, inputs: loaded.inputs },
      { path: output, file: result.model, inputs: loaded.inputs },
    ],
    options,
    context,
  );
  const report: QuantizationReport = {
    ...result.report,
    input: { ...result.report.input, path },
    output: { ...result.report.output, path: output },
    seconds: (performance.now() - started) / 1000,
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
  };
  context.signal.throwIfAborted();
  const page = options.report && (await quantizationReportHtml(report, evaluations));
  await writeModelFile(output, result.model, { inputs: loaded.paths });
  if (options.report && page) await writeFileAtomically(options.report, page);
  return { report, evaluations, written: options.report ? [output, options.report] : [output] };
}

async function withProgress<T>(
  options: QuantizeCommandOptions,
  context: CommandContext,
  work: (onProgress: NonNullable<QuantizeOptions["onProgress"]>) => Promise<T>,
): Promise<T> {
  const progress = await createProgress(context.stderr, options);
  try {
    return await work(progress.update);
  } finally {
    progress.stop();
  }
}

/** Opens the samples to calibrate on. */
async function openCalibration(
  modelPath: string,
  inputs: readonly ModelInput[],
  options: QuantizeCommandOptions,
): Promise<CalibrationData | undefined> {
  const { calibrate: path, calibrationSamples, seed } = options;
  if (path === undefined) return undefined;
  const preprocessing = await statedPreprocessing(options);
  const dataset = await openTrainingPart(path, { inputs, modelPath, preprocessing });
  return feedSource(limitSamples(dataset, calibrationSamples, seed), inputs);
}

/** Of MNIST and CIFAR folders the training part, so that the test part is left for evaluation; the test part if it is alone. */
async function openTrainingPart(path: string, options: OpenDatasetOptions): Promise<OpenedDataset> {
  try {
    return await openDataset(path, { ...options, split: "train" });
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    return openDataset(path, { ...options, split: "test" }).catch(() => {
      throw error;
    });
  }
}

async function evaluateBoth(
  subjects: Parameters<typeof withEvaluatedModels>[0],
  options: QuantizeCommandOptions,
  context: CommandContext,
): Promise<readonly Evaluation[]> {
  const { data } = options;
  if (data === undefined) return [];
  return withEvaluatedModels(subjects, { ...options, data }, context, async (setup) => {
    const { models } = await evaluateModels(setup.models, setup.options);
    return models;
  });
}
