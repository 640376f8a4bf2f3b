/** Quantizing a model: the whole pipeline in one call. */
import type { ModelFile } from "../onnx/index.ts";
import type { Program } from "../program/index.ts";
import type { QuantizeOptions } from "./options.ts";
import type { QuantizationReport } from "./report-data.ts";

/** What `quantize` gives back. */
export interface QuantizeResult {
  /** The quantized model, ready to be written or loaded. */
  readonly model: ModelFile;
  /** The same as a program. */
  readonly program: Program;
  /** What was done, layer by layer. */
  readonly report: QuantizationReport;
}

/** The signature of `quantize`: a program or the bytes of an .onnx file in, a smaller model and its report out. */
export type Quantize = (model: Program | Uint8Array, options: QuantizeOptions) => Promise<QuantizeResult>;
