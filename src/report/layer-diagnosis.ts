/** Which layers lose most, whether their weights or their activation is to blame, and what may help. */
import type { ActivationReport, LayerReport, QuantizationReport } from "../quantize/index.ts";
import { formatBits, formatPercent, formatValue } from "./format.ts";

/** What can be done about a layer. */
export type Remedy =
  | "policy"
  | "weights-8-bits"
  | "weights-float"
  | "correct-weights"
  | "weight-range"
  | "measured-clip"
  | "calibrate"
  | "activations-8-bits";

/** What is wrong with one layer. */
export interface LayerDiagnosis {
  /** Number of the layer in the model's order, from 1. */
  readonly number: number;
  readonly layer: LayerReport;
  /** Noise that this layer adds, as a share of the power of its signal: that of its weights, and of its activation. */
  readonly weightNoise: number;
  readonly activationNoise: number;
  readonly cause: "weights" | "activation";
  /** What was seen, in a few words with its numbers. */
  readonly finding: string;
  /** What may help, best first. */
  readonly remedies: readonly Remedy[];
}

/** Below this the rounding of 8 bits is all there is: 0.03 % of the power is 35 dB. */
const NEGLIGIBLE_NOISE = 3e-4;

/**
 * Returns the layers that add most noise of their own, worst first. `sqnrDb` at a layer's output also holds what all layers
 * before it lost, so layers are ranked by their own noise: 10^(-weightSqnrDb / 10) for the weights, and the measured mean squared
 * error over the mean square of the histogram for the activation. Layers that add less than 0.03 % are not returned.
 *
 * @param count Most layers returned.
 */
export function diagnoseLayers(report: QuantizationReport, count = 8): LayerDiagnosis[] {
  return report.layers
    .map((layer, index) => {
      const weightNoise = layer.weightSqnrDb === null ? 0 : 10 ** (-layer.weightSqnrDb / 10);
      return { number: index + 1, layer, weightNoise, activationNoise: activationNoiseOf(layer.activation) };
    })
    .filter(({ weightNoise, activationNoise }) => weightNoise + activationNoise > NEGLIGIBLE_NOISE)
    .sort((a, b) => b.weightNoise + b.activationNoise - (a.weightNoise + a.activationNoise))
    .slice(0, count)
    .map((noisy) =>
      noisy.weightNoise >= noisy.activationNoise
        ? { ...noisy, cause: "weights", ...weightFinding(noisy.layer, report) }
        : { ...noisy, cause: "activation", ...activationFinding(noisy.layer, noisy.layer.activation!, report) },
    );
}

/** Returns the error of an activation's grid as a share of the power of the signal; 0 when it is not known. */
export function activationNoiseOf(activation: ActivationReport | null): number {
  if (!activation?.histogram || activation.measuredMse === null) return 0;
  const power = meanSquare(activation);
  return power > 0 ? activation.measuredMse / power : 0;
}

/** Returns the percentages of values that the upper and lower clip cut; null without a histogram. */
export function clippedPercent(activation: ActivationReport): number | null {
  if (!activation.histogram) return null;
  const { clipLow, clipHigh, side } = activation;
  const cut = countWhere(activation, (x) => x > clipHigh || (side === "two-sided" && x < clipLow));
  return (
    (100 * cut) /
    Math.max(
      1,
      countWhere(activation, () => true),
    )
  );
}

interface Finding {
  readonly finding: string;
  readonly remedies: readonly Remedy[];
}

function weightFinding(layer: LayerReport, { settings, deployable }: QuantizationReport): Finding {
  if (layer.weightBits >= 8) {
    return {
      finding: "weights lose much even at 8 bits: a few lie far from the rest",
      remedies: [...correctable(settings), "weights-float"],
    };
  }
  const exempt = deployable && settings.policy !== "deploy" && layer.kind === "depthwise-conv";
  return {
    finding: `weights rounded to ${formatBits(layer.weightBits)} bits`,
    remedies: [
      ...correctable(settings),
      ...(settings.weightRange === "min-max" ? (["weight-range"] as const) : []),
      exempt ? "policy" : "weights-8-bits",
    ],
  };
}

function correctable(settings: QuantizationReport["settings"]): Remedy[] {
  return settings.correction === "none" ? ["correct-weights"] : [];
}

function activationFinding(layer: LayerReport, activation: ActivationReport, report: QuantizationReport): Finding {
  const outliers = outlierShare(activation);
  const clipped = clippedPercent(activation) ?? 0;
  const byError: Remedy[] = ["mse", "mse-wide"].includes(String(report.settings.range)) ? [] : ["measured-clip"];
  const common: Remedy[] = [
    ...(isPoorlyCalibrated(report) ? (["calibrate"] as const) : []),
    ...(layer.activationBits < 8 ? (["activations-8-bits"] as const) : []),
  ];
  if (outliers !== null) {
    const share = formatPercent(outliers.percent, 4);
    return {
      finding: `${share} of the values lie beyond ${formatValue(outliers.beyond)} and take half of the codes`,
      remedies: [...byError, ...common],
    };
  }
  if (clipped > 1) {
    return { finding: `the clip cuts ${formatPercent(clipped)} of the values`, remedies: [...byError, ...common] };
  }
  if (mispredicted(activation)) {
    const factor = formatValue(activation.measuredMse! / activation.predictedMse!);
    return {
      finding: `error ${factor} times what ${activation.method} predicts`,
      remedies: [...byError, ...common],
    };
  }
  return { finding: `activation rounded to ${formatBits(layer.activationBits)} bits`, remedies: common };
}

/** Returns whether the ranges rest on too little: synthetic input, or fewer than 16 samples. */
export function isPoorlyCalibrated(report: QuantizationReport): boolean {
  return calibrationKind(report) !== "data" || report.calibration.samples < 16;
}

/** Returns what the ranges rest on. */
export function calibrationKind(report: QuantizationReport): "data" | "data-free" | "synthetic" {
  const { source } = report.calibration;
  if (/^data-free/i.test(source)) return "data-free";
  return /^synthetic/i.test(source) ? "synthetic" : "data";
}

function mispredicted({ predictedMse, measuredMse }: ActivationReport): boolean {
  return predictedMse !== null && measuredMse !== null && predictedMse > 0 && measuredMse > 3 * predictedMse;
}

/** Values so rare and so far out that a grid which covers them wastes half its codes; null when there are none. */
function outlierShare(activation: ActivationReport): { percent: number; beyond: number } | null {
  if (!activation.histogram) return null;
  const { clipLow, clipHigh } = activation;
  const beyond = Math.max(Math.abs(clipLow), Math.abs(clipHigh)) / 2;
  const far = countWhere(activation, (x) => Math.abs(x) > beyond && x >= clipLow);
  const percent =
    (100 * far) /
    Math.max(
      1,
      countWhere(activation, () => true),
    );
  const reached = countWhere(activation, (x) => Math.abs(x) > 1.8 * beyond) > 0;
  return far > 0 && reached && percent < 0.05 ? { percent, beyond } : null;
}

function meanSquare(activation: ActivationReport): number {
  const { low, high, counts } = activation.histogram!;
  const step = (high - low) / counts.length;
  let sum = 0;
  let total = 0;
  for (let i = 0; i < counts.length; i++) {
    const middle = low + (i + 0.5) * step;
    const x = activation.side === "one-sided" ? Math.max(0, middle) : middle;
    sum += counts[i]! * (x * x + (step * step) / 12);
    total += counts[i]!;
  }
  return total > 0 ? sum / total : 0;
}

function countWhere(activation: ActivationReport, test: (x: number) => boolean): number {
  const { low, high, counts } = activation.histogram!;
  const step = (high - low) / counts.length;
  let sum = 0;
  for (let i = 0; i < counts.length; i++) if (test(low + (i + 0.5) * step)) sum += counts[i]!;
  return sum;
}
