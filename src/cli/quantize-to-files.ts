/** The work of `modicum quantize`: everything is checked first, then quantized and measured, and written in the end. */
import { createHash } from "node:crypto";
import { basename, join, resolve } from "node:path";
import { type Dataset, feedSource, limitSamples, type ModelInput } from "../data/index.ts";
import { DataError, OptionError } from "../errors.ts";
import { evaluateModels } from "../evaluate/index.ts";
import {
  type LoadedModel,
  type OpenDatasetOptions,
  type OpenedDataset,
  openDataset,
  pathKind,
  readModelFile,
  removeFile,
  workFile,
  writeFileAtomically,
  writeModelFile,
} from "../files/index.ts";
import { type ModelFile, modelSizeBytes, writeModel } from "../onnx/index.ts";
import {
  type DropMeasure,
  type Evaluation,
  type QuantizationReport,
  type QuantizeOptions,
  type QuantizeResult,
  quantize,
  resolveSettings,
  type Settings,
} from "../quantize/index.ts";
import { quantizationReportHtml, transformersDtype, variantPath } from "../report/index.ts";
import type { CommandContext } from "./command.ts";
import type { QuantizeCommandOptions } from "./commands/quantize.ts";
import { statedPreprocessing } from "./data-options.ts";
import { dropOnData } from "./drop-on-data.ts";
import { withEvaluatedModels } from "./evaluate-models.ts";
import { Interrupted } from "./interrupt.ts";
import { layerBitsFlags, limitsFromFlags } from "./limit-options.ts";
import { assertFillable, assertWritable, defaultOutputPath } from "./output-path.ts";
import { createProgress } from "./progress.ts";
import { methodFromFlags } from "./quantize-options.ts";
import { CALIBRATION_SAMPLES, REFINEMENT_SAMPLES, refinementsFromFlags } from "./refinement-options.ts";
import { chooseRuntime } from "./runtime-choice.ts";
import { synthesizedExtras, synthesizeFromFlags } from "./synthesized-pictures.ts";
import { transformersFiles, writeFolder } from "./transformers-folder.ts";

/** What was made. */
export interface QuantizationOutcome {
  readonly report: QuantizationReport;
  /** Of the float model and the quantized one; empty when no data were given. */
  readonly evaluations: readonly Evaluation[];
  /** Every file that was written, the model first. */
  readonly written: readonly string[];
}

/** One sample at a time, as ACIQ's offline statistics: memory is then the model's, and tensors fit the processor's caches. */
const CALIBRATION_BATCH = 1;

/** Quantizes the model at `path` as the options say. */
export async function quantizeToFiles(
  path: string,
  options: QuantizeCommandOptions,
  context: CommandContext,
): Promise<QuantizationOutcome> {
  const started = performance.now();
  const refinements = await refinementsFromFlags(options);
  const method = {
    ...methodFromFlags(options),
    ...limitsFromFlags(options),
    ...refinements,
    runtime: await chooseRuntime(options),
  };
  const output = outputPath(path, options, resolveSettings(method));
  const unfinished = `${writesModel(options) ? output : options.folder}.unfinished`;
  const loaded = await readModelFile(path);
  await assertOutputs(output, loaded.paths, options);
  const calibration = await openCalibration(path, loaded.inputs, options);
  const { runtime } = method;
  const synthesized = await withProgress(options, context, (onProgress) =>
    synthesizeFromFlags(loaded.program, options, { runtime, signal: context.signal, onProgress }),
  );
  const samples = synthesized ?? (calibration && feedSource(calibration, loaded.inputs, CALIBRATION_BATCH));
  const drop = await dropMeasure(path, loaded, options, context);
  const result = await withProgress(options, context, (onProgress) =>
    quantize(loaded.program, {
      ...method,
      ...limitsFromFlags(options, drop),
      ...(samples && { calibration: samples }),
      ...(options.optimize && { work: workFile(unfinished) }),
      signal: context.signal,
      onProgress,
    }),
  ).catch(async (error: unknown) => {
    if (!context.signal.aborted || (await pathKind(unfinished)) === undefined) throw error;
    throw new Interrupted(`Stopped. What was done is in ${unfinished}: the same command goes on from there.`);
  });
  const model = namedModel(result, output);
  const made: QuantizationReport = {
    ...result.report,
    input: inputRecord(path, loaded),
    output: { ...result.report.output, path: output },
    seconds: (performance.now() - started) / 1000,
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
  };
  const { inputs } = loaded;
  const subjects = [
    { path, file: loaded.file, inputs },
    { path: output, file: model, inputs },
    ...result.rungs.map((rung) => ({ path: rung.name, file: rung.model(), inputs })),
  ];
  const measured = await evaluateAll(subjects, options, context);
  const evaluations = measured.slice(0, 2);
  const ladder = made.ladder.map((rung, i) => ({ ...rung, evaluation: measured[2 + i] ?? null }));
  const report = withOverlapRemark({ ...made, ladder }, options);
  const { folder, data } = options;
  const parts = {
    path,
    loaded,
    quantized: result.program,
    report,
    evaluations,
    runtime,
    data,
    classNames: calibration?.classNames,
  };
  const files = folder === undefined ? [] : await transformersFiles(folder, parts, options);
  const page =
    options.report &&
    (await quantizationReportHtml(report, evaluations, {
      ...(await synthesizedExtras(synthesized)),
      weightBitsFlags: layerBitsFlags,
    }));
  context.signal.throwIfAborted();
  if (writesModel(options)) await writeModelFile(output, model, { inputs: loaded.paths });
  if (options.report && page) await writeFileAtomically(options.report, page);
  await writeFolder(files);
  if (options.optimize) await removeFile(unfinished);
  const written = [...(writesModel(options) ? [output] : []), ...(options.report ? [options.report] : [])];
  return { report, evaluations, written: [...written, ...files.map((file) => file.path)] };
}

/** What `--max-drop` is measured by: the data to evaluate on, where there are any; else samples of the calibration. */
async function dropMeasure(
  path: string,
  { file, inputs }: LoadedModel,
  options: QuantizeCommandOptions,
  context: CommandContext,
): Promise<DropMeasure | undefined> {
  const { data, maxDrop } = options;
  if (maxDrop === undefined || data === undefined) return undefined;
  return dropOnData({ path, file, inputs }, { ...options, data }, context);
}

/** The file that was read, not the program that was made of it. */
function inputRecord(path: string, { file }: LoadedModel): QuantizationReport["input"] {
  return { path, sizeBytes: modelSizeBytes(file), sha256: createHash("sha256").update(file.bytes).digest("hex") };
}

/** The model with its weight file, where it is too large to go without one, named after the output. */
function namedModel({ model, program }: QuantizeResult, output: string): ModelFile {
  return model.external.length === 0 ? model : writeModel(program, { fileName: basename(output) });
}

/** With a folder, a model of its own is written only when it was asked for. */
function writesModel({ output, folder }: QuantizeCommandOptions): boolean {
  return output !== undefined || folder === undefined;
}

function outputPath(path: string, options: QuantizeCommandOptions, settings: Settings): string {
  const { weights, activations, target, simulate, limits } = settings;
  const form = { weightBits: weights, activationBits: activations, target: simulate ? "simulate" : target };
  // Also when --output is given: what cannot go into a folder is refused before the long work.
  const inFolder =
    options.folder === undefined ? undefined : join(options.folder, variantPath({ dtype: transformersDtype(form) }));
  const suffix = [
    limits ? `mixed-a${activations}` : `w${weights}a${activations}`,
    target === "cpu" ? "" : target,
    simulate ? "simulated" : "",
  ];
  return options.output ?? inFolder ?? defaultOutputPath(path, suffix.filter((part) => part !== "").join("-"));
}

/** Checks everything that will be written, before the long work. */
async function assertOutputs(
  output: string,
  inputs: readonly string[],
  options: QuantizeCommandOptions,
): Promise<void> {
  const { report, folder, force = false } = options;
  if (writesModel(options)) await assertWritable(output, { option: "--output", inputs, force });
  if (report !== undefined) {
    if (resolve(report) === resolve(output)) {
      throw new OptionError(`--report: must be another file than the quantized model, got ${report} for both.`);
    }
    await assertWritable(report, { option: "--report", inputs: [...inputs, output], force });
  }
  if (folder !== undefined) await assertFillable(folder, { option: "--folder", force });
}

/** Accuracy on the very samples whose ranges were fitted flatters; say so. */
function withOverlapRemark(
  report: QuantizationReport,
  { data, calibrate }: QuantizeCommandOptions,
): QuantizationReport {
  const isSame = data !== undefined && calibrate !== undefined && resolve(data) === resolve(calibrate);
  const isChosen = report.mixedPrecision?.dropMeasure != null && data !== undefined;
  const isCalibrated = isSame && !report.calibration.source.includes("train part");
  if (!isChosen && !isCalibrated) return report;
  const remark = isChosen
    ? "Bits were chosen by the drop on the evaluation data themselves: on others, it may be a little larger."
    : "Calibration and evaluation drew from the same samples: on others, accuracy may be a little lower.";
  return { ...report, remarks: [...report.remarks, remark] };
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
): Promise<Dataset | undefined> {
  const { calibrate: path, optimize, seed } = options;
  const { calibrationSamples = optimize ? REFINEMENT_SAMPLES : CALIBRATION_SAMPLES } = options;
  if (path === undefined) return undefined;
  const preprocessing = await statedPreprocessing(options);
  const dataset = await openTrainingPart(path, { inputs, modelPath, preprocessing });
  return limitSamples(dataset, calibrationSamples, seed);
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

async function evaluateAll(
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
