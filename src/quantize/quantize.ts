/** Quantizing a model: the whole pipeline in one call. */
import { DataError, ModicumError, UnsupportedError } from "../errors.ts";
import { inlineFunctions, type ModelFile, modelSizeBytes, readModel, upgradeOpset, writeModel } from "../onnx/index.ts";
import { countMacs, inferShapes } from "../ops/index.ts";
import { findLayers, isQuantized, type Layer, prepareProgram } from "../prepare/index.ts";
import { cloneProgram, type Node, type Program, removeDeadNodes, type Value } from "../program/index.ts";
import type { Runtime } from "../runtime/index.ts";
import { planActivations } from "./activation-plan.ts";
import { batchNormStatistics } from "./batch-norm-statistics.ts";
import { breathing } from "./breathing.ts";
import { type ActivationCalibration, calibrateActivations } from "./calibrate-activations.ts";
import { foreignOperators } from "./foreign-operators.ts";
import { gridRange } from "./grid.ts";
import { climbLadder, type DraftParts, firstDraft } from "./ladder.ts";
import { assertLayerNames } from "./layer-bits.ts";
import { layerReports } from "./layer-reports.ts";
import { type LoweredLayers, lowerDraft, simulateLayers } from "./lower-layers.ts";
import { packBits } from "./lowering/pack-bits.ts";
import { packCodes } from "./lowering/pack-codes.ts";
import { measureSqnr } from "./measure.ts";
import { type MixedWidths, mixWidths } from "./mixed-precision/mix-widths.ts";
import type { CalibrationData, Feeds, QuantizeOptions } from "./options.ts";
import { assertFiniteWeights } from "./quantize-layer.ts";
import { recordShapes } from "./record-shapes.ts";
import type { Rung } from "./refinements/climb.ts";
import { cloneDraft } from "./refinements/clone-draft.ts";
import type { Draft } from "./refinements/refinement.ts";
import { rewriteProgram } from "./refinements/rewrite-program.ts";
import { quantizationRemarks } from "./remarks.ts";
import type { LayerReport, QuantizationReport, RungReport } from "./report-data.ts";
import { scalableResults } from "./scaled-channels.ts";
import { FLOAT_BITS, fewestBits, resolveSettings, type Settings, settingsRecord } from "./settings.ts";
import { syntheticData } from "./synthetic.ts";

/** What `quantize` gives back. */
export interface QuantizeResult {
  /** The quantized model, ready to be written or loaded. */
  readonly model: ModelFile;
  /** The same as a program. */
  readonly program: Program;
  /** What was done, layer by layer. */
  readonly report: QuantizationReport;
  /** Every rung of the ladder, as a model that can be measured or written; empty without refinements. */
  readonly rungs: readonly QuantizedRung[];
}

/** A rung of the ladder, and the model it leads to. */
export interface QuantizedRung extends RungReport {
  /** Writes the model: its weights and ranges are those of this rung. */
  model(): ModelFile;
}

/** Version of Modicum, in reports and in the models it writes. */
export const MODICUM_VERSION = "0.1.0";

/** Opset that quantized models need: per-channel dequantization, and 4-bit types. */
const OPSET_8_BITS = 13;
const OPSET_4_BITS = 21;

/** Batches of calibration data on which the quantized model is compared with the float model. */
const MEASURED_BATCHES = 2;

/**
 * Quantizes the weights, and where asked the activations, of an ONNX model after training: no labels, no fine-tuning.
 *
 * The steps: prepare the graph (fold batch norms and constants), find layers, collect statistics of activations in the
 * model's own run, choose clips (ACIQ, arXiv:1810.05723, or a baseline), quantize weights with bias correction, rewrite for
 * the target, and measure each layer against the float model.
 *
 * @param model The bytes of an .onnx file, or a program (for models with weights in files of their own).
 * @param options What to quantize to, and a runtime; see QuantizeOptions.
 * @throws OptionError for options out of range or that do not go together; ModelFormatError for bytes that are no model;
 *   UnsupportedError for a model with nothing to quantize or that is quantized already; DataError for bad calibration data;
 *   RuntimeFailure if ONNX Runtime cannot run the model.
 * @example
 * const { model, report } = await quantize(bytes, { runtime: await nodeRuntime(), weights: 4, calibration });
 */
export async function quantize(model: Program | Uint8Array, options: QuantizeOptions): Promise<QuantizeResult> {
  const started = performance.now();
  const progress = options.onProgress ?? (() => {});
  const original = model instanceof Uint8Array ? readModel(model) : model;
  assertFloatModel(original);
  const foreign = foreignOperators(original);
  const settings = foreign.length > 0 ? weightsOnly(resolveSettings(options), foreign) : resolveSettings(options);
  const runnable = foreign.length === 0;
  const data = options.calibration ?? syntheticData(original, settings.seed);

  progress({ stage: "prepare", done: 0, total: 1, unit: "model" });
  const feeds = runnable ? await firstFeeds(data) : undefined;
  const prepared = await prepareProgram(upgraded(original, settings), {
    runtime: options.runtime,
    ...(feeds && { verify: feeds }),
  });
  const { program } = prepared;
  if (feeds) await recordShapes(program, feeds, options.runtime);
  const hasData = options.calibration !== undefined;
  assertQuantizable(findLayers(program), foreign);
  const rewriting = { runtime: options.runtime, data, hasData, settings, signal: options.signal };
  const rewritten = runnable ? await rewriteProgram(program, feeds!, rewriting) : [];
  const allLayers = findLayers(program);
  const layers = allLayers.filter((layer) => layer.reason === undefined);
  assertLayerNames(settings.layerBits, allLayers);
  for (const layer of layers) assertFiniteWeights(layer);
  options.signal?.throwIfAborted();
  progress({ stage: "prepare", done: 1, total: 1, unit: "model" });

  const plan = planActivations(program, settings.activations === FLOAT_BITS ? [] : layers, {
    scores: settings.simulate,
    sums: !settings.simulate || settings.policy.quantizeSums,
  });
  const inIntegers = settings.target === "cpu" && !settings.simulate;
  const scaled = inIntegers ? scalableResults(program, layers, plan) : new Set<Value>();
  // A rewrite may have changed what the batch norms know.
  const isKnown = options.calibration === undefined && rewritten.length === 0;
  const known = isKnown ? batchNormStatistics(original, program) : new Map();
  const calibration = runnable
    ? await calibrateActivations(program, layers, plan, data, { ...options, settings, known, scaled, hasData })
    : NOT_CALIBRATED;
  const reference = cloneProgram(program);
  const macs = countMacs(program);
  // The digest is worked out on another thread, beside the weights.
  const digest = inputRecord(model, original);
  const calibrated = { program, layers, plan, calibration, settings };
  const mixed = await withinLimits(calibrated, original, data, options);
  const parts = { ...calibrated, settings: mixed?.settings ?? settings };
  const first = isPublishedForm(settings) ? undefined : await firstDraft(parts, options.signal);
  const input = await digest;
  const identity = identityOf(input, parts.settings, data);
  const deadlineMs = started + settings.budgetSeconds * 1000;
  const climbing = { ...options, data, hasData, seed: settings.seed, onProgress: progress, deadlineMs, identity };
  const ladder =
    first && runnable && settings.refinements.length > 0
      ? await climbLadder(parts, first, { ...climbing, signal: options.signal })
      : [];
  const best = ladder.findLast(({ kept }) => kept)?.draft ?? first;
  const rungs = ladder.map((rung) => quantizedRung(rung, original, calibration.floatLayers));
  const lowered = best
    ? lowerDraft(best, calibration.floatLayers)
    : await simulateLayers(program, layers, calibration, settings, breathing(options.signal));
  const file = writeLowered(lowered.program, original, settings);

  progress({ stage: "measure", done: 0, total: 1, unit: "model" });
  const sqnr = runnable
    ? await measureLayers(layers, reference, lowered, data, { ...options, settings })
    : new Map<Node, number | null>();
  progress({ stage: "measure", done: 1, total: 1, unit: "model" });

  const reports = layerReports(allLayers, lowered.layers, withGridsOf(best, calibration), { sqnr, macs });
  const source = runnable ? calibrationSource(data, known.size) : "none: the model cannot be run here";
  const remarks = quantizationRemarks(reports, settings, {
    hasData,
    foreign,
    quantizedActivations: calibration.choices.size,
  });
  const report: QuantizationReport = {
    modicumVersion: MODICUM_VERSION,
    runtime: options.runtime.description,
    date: new Date().toISOString(),
    input,
    output: { path: null, sizeBytes: modelSizeBytes(file) },
    target: settings.simulate ? "simulate" : settings.target,
    deployable: !settings.simulate,
    settings: settingsRecord(settings),
    calibration: { source, samples: calibration.samples, batches: calibration.batches },
    seconds: (performance.now() - started) / 1000,
    peakMemoryBytes: null,
    layers: reports,
    ladder: ladder.map(({ draft: _, ...rung }) => rung),
    mixedPrecision: mixed?.report ?? null,
    remarks: [...rewritten, ...remarks],
    meanWeightBits: meanWeightBits(reports),
    preparationDifference: prepared.difference?.absolute ?? null,
  };
  return { model: file, program: lowered.program, report, rungs };
}

/** Tells a quantization from others, for what is kept between calls. */
function identityOf({ sha256 }: QuantizationReport["input"], settings: Settings, data: CalibrationData): string {
  return JSON.stringify([
    sha256,
    settingsRecord(settings),
    [...settings.layerBits],
    data.description,
    data.count ?? null,
  ]);
}

/** Lowering rewrites a program in place: each model is made of a copy. */
function quantizedRung(
  { draft, ...rung }: Rung,
  original: Program,
  floatLayers: ActivationCalibration["floatLayers"],
): QuantizedRung {
  const kept = cloneDraft(draft).draft;
  const lower = () => lowerDraft(cloneDraft(kept).draft, floatLayers);
  return { ...rung, model: () => writeLowered(lower().program, original, draft.settings) };
}

/** Chooses bits of single layers, where something is limited. */
async function withinLimits(
  parts: DraftParts,
  original: Program,
  data: CalibrationData,
  { runtime, signal, onProgress = () => {} }: QuantizeOptions,
): Promise<MixedWidths | undefined> {
  const { settings, calibration } = parts;
  if (!settings.limits) return undefined;
  const lower = (draft: Draft) => lowerDraft(cloneDraft(draft).draft, calibration.floatLayers);
  const write = (draft: Draft) => writeLowered(lower(draft).program, original, settings);
  return mixWidths(parts, settings.limits, { runtime, data, signal, onProgress, lower, write });
}

/** A copy of the model without functions, at the opset that its quantized form needs. */
function upgraded(original: Program, settings: Settings): Program {
  const { program } = cloneProgram(inlineFunctions(original));
  // Some upgrade rules need shapes (Softmax, GroupNormalization); contradictory ones are for prepareProgram to deal with.
  try {
    inferShapes(program);
  } catch (error) {
    if (!(error instanceof ModicumError)) throw error;
  }
  return upgradeOpset(program, requiredOpset(program, settings));
}

function writeLowered(program: Program, original: Program, { simulate, target }: Settings): ModelFile {
  // Other runtimes than ONNX Runtime may not work out once what depends on constants only.
  if (!simulate && target !== "portable") {
    packBits(program);
    packCodes(program);
  }
  // The float weights are still listed as initializers, though nobody reads them.
  removeDeadNodes(program.graph);
  program.producerName = "modicum";
  program.producerVersion = MODICUM_VERSION;
  return writeModel(program, simulate ? {} : { tellingNames: namesOf(original) });
}

/** Names of all values of a model. */
function namesOf(program: Program): Set<string> {
  const names = new Set(program.graph.inputs.map(({ name }) => name));
  for (const node of program.allNodes()) {
    for (const value of [...node.inputs, ...node.outputs]) if (value) names.add(value.name);
  }
  return names;
}

/** What stands for a calibration of a model that cannot be run. */
const NOT_CALIBRATED: ActivationCalibration = {
  choices: new Map(),
  unclipped: new Map(),
  floatLayers: new Map(),
  inputMoments: new Map(),
  samples: 0,
  batches: 0,
};

/** The calibration with the grids that refinements made of those it chose. */
function withGridsOf(draft: Draft | undefined, calibration: ActivationCalibration): ActivationCalibration {
  const choices = [...calibration.choices].map(([value, choice]) => {
    const grid = draft?.grids.get(value) ?? choice.grid;
    return [value, grid === choice.grid ? choice : { ...choice, grid, range: gridRange(grid) }] as const;
  });
  return { ...calibration, choices: new Map(choices) };
}

/** A model that cannot be run can have its weights quantized, by what is in the file alone. */
function weightsOnly(settings: Settings, foreign: readonly string[]): Settings {
  if (settings.limits) {
    throw new UnsupportedError(
      `quantize: limits need a model that can be run, got operators that ONNX Runtime does not know: ${foreign.join(", ")}.`,
    );
  }
  if (settings.simulate) {
    throw new UnsupportedError(
      `quantize: a simulation must be able to run the model, got operators that ONNX Runtime does not know: ${foreign.join(", ")}.`,
    );
  }
  return { ...settings, activations: FLOAT_BITS, correction: "none" };
}

function assertFloatModel(program: Program): void {
  if (isQuantized(program)) {
    throw new UnsupportedError(
      "quantize: the model must be a float model, got one that is quantized already. Quantize the model it was made from.",
    );
  }
}

/** Simulations without refinements quantize as ACIQ was published: grids and bits per channel. */
function isPublishedForm({ simulate, refinements }: Settings): boolean {
  return simulate && refinements.length === 0;
}

function assertQuantizable(all: readonly Layer[], foreign: readonly string[]): void {
  if (all.some(({ reason }) => reason === undefined)) return;
  const reasons = all.slice(0, 5).map((layer) => `${layer.node.label}: ${layer.reason}`);
  const found = all.length === 0 ? "got none" : `got ${all.length} that cannot be (${reasons.join("; ")})`;
  const unknown = foreign.length > 0 ? ` It has operators that are not known here: ${foreign.join(", ")}.` : "";
  throw new UnsupportedError(
    `quantize: the model must have a layer with constant float weights (Conv, Gemm, MatMul, Gather, ...), ${found}.${unknown}`,
  );
}

/** 4-bit types came with opset 21; integer operators and scales per channel need 13. Newer models stay what they are. */
function requiredOpset(program: Program, settings: Settings): number {
  const isNarrow = settings.limits !== undefined || fewestBits(settings) <= 4;
  const least = settings.simulate || !isNarrow ? OPSET_8_BITS : OPSET_4_BITS;
  return Math.max(program.opset, least);
}

async function firstFeeds(data: CalibrationData): Promise<Feeds> {
  for await (const feeds of data.batches()) return feeds;
  throw new DataError(`calibrate: there must be at least one calibration sample, got none from ${data.description}.`);
}

/** SQNR at the result of every quantizable layer. */
async function measureLayers(
  layers: readonly Layer[],
  reference: ReturnType<typeof cloneProgram>,
  lowered: LoweredLayers,
  data: CalibrationData,
  { runtime, settings, signal }: { runtime: Runtime; settings: Settings; signal?: AbortSignal },
): Promise<Map<Node, number | null>> {
  const measured = layers.map((layer) => {
    const value = lowered.values.has(layer.result) ? layer.result : layer.output;
    const quantized = lowered.values.get(value) ?? { value, grid: undefined };
    return { node: layer.node, float: reference.values.get(value)!, quantized };
  });
  const options = { runtime, simulation: settings.simulate, batches: MEASURED_BATCHES, signal };
  const sqnr = await measureSqnr(reference.program, lowered, measured, data, options);
  return new Map(measured.map(({ node }, i) => [node, sqnr[i]!]));
}

function calibrationSource(data: CalibrationData, fromBatchNorm: number): string {
  return fromBatchNorm > 0
    ? `data-free: batch-norm statistics for ${fromBatchNorm} tensors, ${data.description} for the rest`
    : data.description;
}

async function inputRecord(model: Program | Uint8Array, program: Program): Promise<QuantizationReport["input"]> {
  const bytes = model instanceof Uint8Array ? model : undefined;
  const file = bytes ? undefined : writeModel(program);
  const message = bytes ?? file!.bytes;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", message as Uint8Array<ArrayBuffer>));
  const sha256 = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return { path: null, sizeBytes: bytes ? bytes.byteLength : modelSizeBytes(file!), sha256 };
}

function meanWeightBits(layers: readonly LayerReport[]): number {
  const quantized = layers.filter((layer) => layer.weightSqnrDb !== null);
  const count = quantized.reduce((sum, layer) => sum + layer.weightCount, 0);
  if (count === 0) return 32;
  return quantized.reduce((sum, layer) => sum + layer.weightBits * layer.weightCount, 0) / count;
}
