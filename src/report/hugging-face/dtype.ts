/** The names under which transformers.js looks for quantized models. */
import { OptionError } from "../../errors.ts";

/** Values of transformers.js's `dtype` option that this project writes, or finds beside what it writes. */
export type TransformersDtype = "fp32" | "fp16" | "q8" | "int8" | "uint8" | "q4" | "q4f16" | "bnb4" | "q2";

const SUFFIXES: Readonly<Record<TransformersDtype, string>> = {
  fp32: "",
  fp16: "_fp16",
  q8: "_quantized",
  int8: "_int8",
  uint8: "_uint8",
  q4: "_q4",
  q4f16: "_q4f16",
  bnb4: "_bnb4",
  q2: "_q2",
};

/** How a model was quantized, as far as its name tells. */
export interface QuantizedForm {
  /** Bits of most weights; 16 or 32 for float. */
  readonly weightBits: number;
  /** Bits of activations; 16 or 32 for float. */
  readonly activationBits: number;
  /** As in `QuantizationReport.target`. */
  readonly target: string;
}

/**
 * Returns the dtype under which a model is offered.
 *
 * - float weights and activations: `fp32`
 * - weights of 5 to 8 bits: `q8` with integer activations (transformers.js's default in browsers), `int8` without
 * - weights of 3 or 4 bits: `q4`, whatever the activations
 * - weights of 2 bits: `q2`
 *
 * Forms that share a dtype cannot stand in one folder; give one of them another dtype by hand.
 *
 * @throws OptionError for simulated models: they are float graphs, and no name says so.
 */
export function transformersDtype({ weightBits, activationBits, target }: QuantizedForm): TransformersDtype {
  if (target === "simulate") {
    throw new OptionError(
      'transformersDtype: a model for transformers.js must be deployable, got target "simulate". Quantize it without --simulate.',
    );
  }
  if (weightBits >= 16) return activationBits >= 16 ? "fp32" : "q8";
  if (weightBits > 4) return activationBits >= 16 ? "int8" : "q8";
  return weightBits > 2 ? "q4" : "q2";
}

/** Returns the file name that goes with a dtype, such as `model_q4.onnx`. */
export function transformersFileName(dtype: TransformersDtype, baseName = "model"): string {
  return `${baseName}${SUFFIXES[dtype]}.onnx`;
}
