/** One of several files that hold the same model in different precision. */
import type { ModelFile } from "../../onnx/index.ts";
import type { Evaluation, QuantizationReport } from "../../quantize/index.ts";
import { type TransformersDtype, transformersFileName } from "./dtype.ts";

/** A model in one precision, with what is known about it. */
export interface ModelVariant {
  readonly dtype: TransformersDtype;
  readonly model: ModelFile;
  /** How it was made; null for the float original. */
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

/** Returns the mean bits of a variant's weights and activations as asked for; 32 for float. */
export function variantBits({ report }: Pick<ModelVariant, "report">): { weights: number; activations: number } {
  const bits = (value: unknown): number => (typeof value === "number" ? value : 32);
  return { weights: bits(report?.settings.weights), activations: bits(report?.settings.activations) };
}
