/** Columns of the tables in a quantization report; the same for terminal, Markdown and HTML. */
import type { Evaluation } from "../quantize/index.ts";
import type { Column } from "./column.ts";
import { formatBits, formatBytes, formatCount, formatFixed, formatMilliseconds } from "./format.ts";
import { clippedPercent, type LayerDiagnosis } from "./layer-diagnosis.ts";
import type { NumberedLayer } from "./plots/layer-plots.ts";

/** What became of each layer. */
export const LAYER_COLUMNS: readonly Column<NumberedLayer>[] = [
  { header: "#", value: ({ number }) => number, help: "Place in the model, as in the plots." },
  { header: "Layer", value: ({ layer }) => layer.name, code: true },
  { header: "Operator", value: ({ layer }) => layer.operator },
  { header: "Kind", value: ({ layer }) => layer.kind },
  { header: "W bits", value: ({ layer }) => layer.weightBits, format: formatBits, help: "Bits of the weights." },
  {
    header: "A bits",
    value: ({ layer }) => layer.activationBits,
    format: formatBits,
    help: "Bits of the activation that leaves the layer.",
  },
  {
    header: "SQNR dB",
    value: ({ layer }) => layer.sqnrDb,
    format: (decibels) => formatFixed(decibels, 1),
    help: "Signal to noise at the layer's output on calibration data; holds what earlier layers lost too.",
  },
  {
    header: "Weight SQNR dB",
    value: ({ layer }) => layer.weightSqnrDb,
    format: (decibels) => formatFixed(decibels, 1),
    help: "Signal to noise of the weights alone.",
  },
  {
    header: "Clipped %",
    value: ({ layer }) => (layer.activation === null ? null : clippedPercent(layer.activation)),
    format: (percent) => formatFixed(percent, percent > 0 && percent < 0.1 ? 3 : 1),
    help: "Share of the activation's values outside its range.",
  },
  { header: "Weights", value: ({ layer }) => layer.weightCount, format: formatCount },
  { header: "MACs", value: ({ layer }) => layer.macs, format: formatCount, help: "Multiply-accumulates a sample." },
  { header: "Note", value: ({ layer }) => layer.note ?? "" },
];

/** The layers that lose most, and why. */
export const DIAGNOSIS_COLUMNS: readonly Column<LayerDiagnosis>[] = [
  { header: "#", value: ({ number }) => number },
  { header: "Layer", value: ({ layer }) => layer.name, code: true },
  { header: "Kind", value: ({ layer }) => layer.kind },
  { header: "Cause", value: ({ cause }) => cause },
  { header: "Finding", value: ({ finding }) => finding },
  {
    header: "Weights dB",
    value: ({ weightNoise }) => toDecibels(weightNoise),
    format: (decibels) => formatFixed(decibels, 1),
    help: "Signal to noise of the weights alone.",
  },
  {
    header: "Activation dB",
    value: ({ activationNoise }) => toDecibels(activationNoise),
    format: (decibels) => formatFixed(decibels, 1),
    help: "Signal to noise of the activation alone.",
  },
];

function toDecibels(noise: number): number | null {
  return noise > 0 ? -10 * Math.log10(noise) : null;
}

/** A model, its part in the comparison, and what was measured. */
export interface EvaluationRow {
  readonly role: string;
  readonly evaluation: Evaluation;
}

/** Accuracy and speed of each model. */
export const EVALUATION_COLUMNS: readonly Column<EvaluationRow>[] = [
  { header: "Model", value: ({ evaluation }) => evaluation.path, code: true },
  { header: "Role", value: ({ role }) => role },
  { header: "Size", value: ({ evaluation }) => evaluation.sizeBytes, format: formatBytes },
  { header: "Top-1 %", value: ({ evaluation }) => evaluation.top1, format: (percent) => formatFixed(percent, 1) },
  {
    header: "± error",
    value: ({ evaluation }) => evaluation.top1StandardError,
    format: (percent) => formatFixed(percent, 1),
    help: "Standard error of top-1, points.",
  },
  { header: "Top-5 %", value: ({ evaluation }) => evaluation.top5, format: (percent) => formatFixed(percent, 1) },
  {
    header: "Agreement %",
    value: ({ evaluation }) => evaluation.agreement,
    format: (percent) => formatFixed(percent, 1),
    help: "Share of samples with the float model's top-1 class.",
  },
  {
    header: "Output SQNR dB",
    value: ({ evaluation }) => evaluation.outputSqnrDb,
    format: (decibels) => formatFixed(decibels, 1),
    help: "Outputs against those of the float model.",
  },
  {
    header: "Latency",
    value: ({ evaluation }) => evaluation.latencyMs.median,
    format: formatMilliseconds,
    help: "Median for one sample.",
  },
  { header: "p95", value: ({ evaluation }) => evaluation.latencyMs.p95, format: formatMilliseconds },
  {
    header: "Samples/s",
    value: ({ evaluation }) => evaluation.throughput,
    format: (rate) => formatFixed(rate, rate < 10 ? 1 : 0),
  },
];

/** One configuration of a study: what was on, and what it gave. */
export interface AblationRow {
  readonly label: string;
  /** False for simulated configurations; they are listed apart. */
  readonly deployable: boolean;
  readonly weightBits: number;
  readonly activationBits: number;
  /** Null where there is no file of that size, as in a simulation. */
  readonly sizeBytes: number | null;
  /** Percent. */
  readonly top1: number | null;
  readonly top1StandardError: number | null;
  readonly agreement: number | null;
  readonly latencyMs: number | null;
}

/** What each configuration gave. */
export const ABLATION_COLUMNS: readonly Column<AblationRow>[] = [
  { header: "Configuration", value: ({ label }) => label },
  { header: "W bits", value: ({ weightBits }) => weightBits, format: formatBits },
  { header: "A bits", value: ({ activationBits }) => activationBits, format: formatBits },
  { header: "Size", value: ({ sizeBytes }) => sizeBytes, format: formatBytes },
  { header: "Top-1 %", value: ({ top1 }) => top1, format: (percent) => formatFixed(percent, 1) },
  {
    header: "± error",
    value: ({ top1StandardError }) => top1StandardError,
    format: (percent) => formatFixed(percent, 1),
  },
  { header: "Agreement %", value: ({ agreement }) => agreement, format: (percent) => formatFixed(percent, 1) },
  { header: "Latency", value: ({ latencyMs }) => latencyMs, format: formatMilliseconds },
];
