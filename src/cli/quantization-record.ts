/** The contract of `quantize --json`. */
import type { ActivationReport, Evaluation, LayerReport, QuantizationReport } from "../quantize/index.ts";
import type { QuantizationOutcome } from "./quantize-to-files.ts";

/** A layer without the histogram of its activation, which is for pictures. */
export interface LayerRecord extends Omit<LayerReport, "activation"> {
  readonly activation: Omit<ActivationReport, "histogram"> | null;
}

/** One object with everything that was done: `input`, `output`, `seconds`, `peakMemoryBytes`, `layers` and so on. */
export interface QuantizationRecord extends Omit<QuantizationReport, "layers"> {
  readonly layers: readonly LayerRecord[];
  /** The float model and the quantized one; empty without `--data`. */
  readonly evaluations: readonly Evaluation[];
  /** Every file that was written. */
  readonly written: readonly string[];
}

/** Returns the record of a quantization. */
export function quantizationRecord({ report, evaluations, written }: QuantizationOutcome): QuantizationRecord {
  return { ...report, layers: report.layers.map(withoutHistogram), evaluations, written };
}

function withoutHistogram({ activation, ...layer }: LayerReport): LayerRecord {
  if (activation === null) return { ...layer, activation };
  const { histogram: _, ...rest } = activation;
  return { ...layer, activation: rest };
}
