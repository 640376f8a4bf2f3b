/** Sentences for the report: what a user should know about the result, and what to try next. */
import type { LayerReport } from "./report-data.ts";
import { FLOAT_BITS, type Settings } from "./settings.ts";

/** Below this SQNR (about 3 % error power) a layer is worth naming. */
const POOR_SQNR_DB = 15;

/** What is known beyond layers and settings. */
export interface RemarkFacts {
  /** Whether calibration data were given. */
  readonly hasData: boolean;
  /** Operators that ONNX Runtime does not know. */
  readonly foreign: readonly string[];
  /** Number of activation tensors that are quantized. */
  readonly quantizedActivations: number;
}

/** Returns the remarks, most important first. */
export function quantizationRemarks(
  layers: readonly LayerReport[],
  settings: Settings,
  { hasData, foreign, quantizedActivations }: RemarkFacts,
): string[] {
  const remarks: string[] = [];
  if (foreign.length > 0) {
    remarks.push(
      `Only weights are quantized, unmeasured: the model has operators that ONNX Runtime does not know and so cannot be run here (${foreign.join(", ")}). They stay as they are.`,
    );
  }
  if (settings.simulate) {
    remarks.push(
      "This is a simulation in float arithmetic: it shows the accuracy such hardware would have, and is neither smaller nor faster.",
    );
  }
  if (!hasData && settings.activations !== FLOAT_BITS) {
    remarks.push(
      "No calibration data were given: ranges are estimates. A few dozen unlabelled samples (--calibrate) usually help.",
    );
  }
  if (quantizedActivations === 0 && settings.activations !== FLOAT_BITS) {
    remarks.push(
      "Only weights are quantized: no layer has an integer form (float32 convolutions and matrix products have). Activations stay in float.",
    );
  }
  const left = settings.weights === FLOAT_BITS ? [] : layers.filter((layer) => layer.weightSqnrDb === null);
  if (left.length > 0) remarks.push(`${left.length} of ${layers.length} layers stay in float: ${names(left)}.`);
  const poor = layers.filter((layer) => layer.sqnrDb !== null && layer.sqnrDb < POOR_SQNR_DB);
  if (poor.length > 0) {
    const worst = [...poor].sort((a, b) => a.sqnrDb! - b.sqnrDb!);
    remarks.push(
      `${poor.length} of ${layers.length} layers are below ${POOR_SQNR_DB} dB, worst first: ${names(worst)}.`,
    );
  }
  return remarks;
}

function names(layers: readonly LayerReport[]): string {
  const shown = layers.slice(0, 5).map((layer) => layer.name);
  return layers.length > shown.length
    ? `${shown.join(", ")} and ${layers.length - shown.length} more`
    : shown.join(", ");
}
