/** One of several files that hold the same model in different precision. */
import type { ModelFile } from "../../onnx/index.ts";
import type { Evaluation, QuantizationReport } from "../../quantize/index.ts";
import { type TransformersDtype, transformersFileName } from "./dtype.ts";

/** A model in one precision, with what is known about it. */
export interface ModelVariant {
  readonly dtype: TransformersDtype;
  readonly model: ModelFile;
  /** How it was made; null for the float original, and for files made elsewhere. */
  readonly report: QuantizationReport | null;
  /** Accuracy and speed; null when not measured. */
  readonly evaluation: Evaluation | null;
  /** What a check of the finished file found; null when none was made. */
  readonly check: { readonly passed: boolean; readonly detail: string } | null;
}

/** Returns where the variant lies in the folder: `onnx/model_q4.onnx`. */
export function variantPath({ dtype }: Pick<ModelVariant, "dtype">): string {
  return `onnx/${transformersFileName(dtype)}`;
}

/** Returns whether the variant is the float model that the others are compared with. */
export function isFloatVariant({ dtype }: Pick<ModelVariant, "dtype">): boolean {
  return dtype === "fp32";
}

/** Returns the bits of a variant's weights and activations as asked for, 32 for float; null where they are not known. */
export function variantBits(variant: Pick<ModelVariant, "dtype" | "report">): {
  readonly weights: number | null;
  readonly activations: number | null;
} {
  if (isFloatVariant(variant)) return { weights: 32, activations: 32 };
  const bits = (value: unknown): number | null => (typeof value === "number" ? value : null);
  return { weights: bits(variant.report?.settings.weights), activations: bits(variant.report?.settings.activations) };
}
