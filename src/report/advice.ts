/** What to do about the layers that lose most: one sentence for each remedy, with the flags that apply it. */
import type { QuantizationReport } from "../quantize/index.ts";
import { formatBytes, formatFixed, formatPercent } from "./format.ts";
import type { LayerDiagnosis, Remedy } from "./layer-diagnosis.ts";

/** One thing to try. */
export interface Advice {
  readonly text: string;
  /** Flags of `modicum quantize` that do it; null when there are none. */
  readonly flags: string | null;
  /** Numbers of the layers it is for. */
  readonly layers: readonly number[];
}

/** Returns the flags that set the weight bits of some layers by name; 16 leaves them in float. */
export type WeightBitsFlags = (layers: readonly string[], bits: number) => string;

/**
 * Returns what to try, the remedy of the largest noise first.
 *
 * @param weightBitsFlags Without it, advice on single layers comes without flags.
 */
export function adviceFor(
  report: QuantizationReport,
  diagnoses: readonly LayerDiagnosis[],
  weightBitsFlags?: WeightBitsFlags,
): Advice[] {
  const byRemedy = new Map<Remedy, LayerDiagnosis[]>();
  for (const diagnosis of diagnoses) {
    for (const remedy of diagnosis.remedies) {
      byRemedy.set(remedy, [...(byRemedy.get(remedy) ?? []), diagnosis]);
    }
  }
  const noise = (found: readonly LayerDiagnosis[]): number =>
    found.reduce((sum, { weightNoise, activationNoise }) => sum + weightNoise + activationNoise, 0);
  return [...byRemedy]
    .sort(([, a], [, b]) => noise(b) - noise(a))
    .map(([remedy, found]) => ({
      ...REMEDIES[remedy]({ report, found, names: found.map(({ layer }) => layer.name), weightBitsFlags }),
      layers: found.map(({ number }) => number).sort((a, b) => a - b),
    }));
}

interface Case {
  readonly report: QuantizationReport;
  readonly found: readonly LayerDiagnosis[];
  readonly names: readonly string[];
  readonly weightBitsFlags: WeightBitsFlags | undefined;
}

const REMEDIES: Readonly<Record<Remedy, (found: Case) => Omit<Advice, "layers">>> = {
  policy: ({ found }) => ({
    text: `Keep depthwise kernels at 8 bits, as ${layerCount(found)} need it: they are few bytes and most of the damage.`,
    flags: "--policy deploy",
  }),
  "weights-8-bits": ({ report, found, names, weightBitsFlags }) => {
    const share = report.deployable ? `, ${sharePercent(extraBytes(found), report)} of the file` : "";
    const text = `8-bit weights for ${layerCount(found)} cost ${formatBytes(extraBytes(found))}${share}.`;
    if (weightBitsFlags) return { text, flags: weightBitsFlags(names, 8) };
    const all = report.layers.filter(({ weightBits }) => weightBits < 8).map((layer) => ({ layer }));
    return { text: `${text} For all layers they cost ${formatBytes(extraBytes(all))}.`, flags: "--weights 8" };
  },
  "weights-float": ({ found, names, weightBitsFlags }) => ({
    text: `Leave ${layerCount(found)} in float: 8 bits are not enough there.`,
    flags: weightBitsFlags?.(names, 16) ?? null,
  }),
  "correct-weights": () => ({
    text: "Correct the mean of quantized weights; it costs nothing at run time.",
    flags: "--correction mean",
  }),
  "weight-range": () => ({ text: "Choose weight scales by least squared error.", flags: "--weight-range mse" }),
  "measured-clip": ({ found }) => ({
    text: `Choose clips by measured error: ${layerCount(found)} ${found.length === 1 ? "has" : "have"} outliers or tails that the method does not expect.`,
    flags: "--range mse",
  }),
  calibrate: ({ report }) => ({
    text: `Calibrate on 32 to 128 samples like those the model will see; the ranges now rest on ${report.calibration.source}, ${report.calibration.samples} samples.`,
    flags: "--calibrate <folder>",
  }),
  "activations-8-bits": ({ report }) => ({
    text: `Give activations 8 bits: about ${formatFixed(6 * (8 - Number(report.settings.activations)), 0)} dB less noise, and ONNX Runtime has integer kernels for it.`,
    flags: "--activations 8",
  }),
};

function layerCount(found: readonly LayerDiagnosis[]): string {
  return found.length === 1 ? "this layer" : `these ${found.length} layers`;
}

/** Bytes that weights below 8 bits take more when they get 8. */
function extraBytes(found: readonly Pick<LayerDiagnosis, "layer">[]): number {
  return Math.round(found.reduce((sum, { layer }) => sum + (layer.weightCount * (8 - layer.weightBits)) / 8, 0));
}

function sharePercent(bytes: number, report: QuantizationReport): string {
  const percent = (100 * bytes) / Math.max(1, report.output.sizeBytes);
  return formatPercent(percent, percent < 1 ? 2 : 1);
}
