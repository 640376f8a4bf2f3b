/** Post-training quantization of ONNX models. */
export type {
  Allocation,
  CalibrationData,
  Correction,
  Feeds,
  Progress,
  QuantizeOptions,
  Target,
} from "./options.ts";
export type { Quantize, QuantizeResult } from "./quantize.ts";
export type { ActivationReport, Evaluation, LayerReport, QuantizationReport } from "./report-data.ts";
export type { Histogram, Statistics } from "./statistics.ts";
