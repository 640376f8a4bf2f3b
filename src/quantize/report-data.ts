/** What a quantization did, as plain data: the `--json` of the command, the source of the HTML report and the model card. */
import type { MixedPrecisionReport } from "./mixed-precision/limits.ts";
import type { Histogram } from "./statistics.ts";

/** What became of one layer. */
export interface LayerReport {
  /** Name of the node. */
  readonly name: string;
  readonly operator: string;
  /** Bits of the weights; 32 when left in float. The mean over channels when bits are allocated per channel. */
  readonly weightBits: number;
  /** Bits of the output activation; 32 when left in float. */
  readonly activationBits: number;
  /** Signal-to-quantization-noise ratio at this layer's output on calibration data, quantized model against float, dB. */
  readonly sqnrDb: number | null;
  /** SQNR of the weights alone, dB; null when left in float. */
  readonly weightSqnrDb: number | null;
  readonly weightCount: number;
  readonly weightShape: readonly number[];
  /** Multiply-accumulates per sample; null when the shapes are not known. */
  readonly macs: number | null;
  /** "conv", "depthwise-conv", "gemm", "matmul", "embedding", "conv-transpose", ... */
  readonly kind: string;
  /** Why the layer, or a part of it, was left in float or in 8 bits; null when it was quantized as asked. */
  readonly note: string | null;
  /** The activation's range and error; null when it stays in float. */
  readonly activation: ActivationReport | null;
}

/** Range, clip and error of one activation tensor. */
export interface ActivationReport {
  /** Name of the value. */
  readonly name: string;
  readonly side: "two-sided" | "one-sided";
  readonly method: string;
  readonly min: number;
  readonly max: number;
  readonly clipLow: number;
  readonly clipHigh: number;
  /** Mean squared error the method's model predicts; null for methods without one. */
  readonly predictedMse: number | null;
  /** Mean squared error measured on the histogram. */
  readonly measuredMse: number | null;
  /** Entropy of the codes, bits per value. */
  readonly entropyBits: number | null;
  readonly histogram: Histogram | null;
  /** Bits of each channel when allocated per channel (simulation only). */
  readonly channelBits: readonly number[] | null;
}

/** One rung of the ladder: what a refinement brought. */
export interface RungReport {
  /** "min-max", "closed-form" (ranges and corrections without refinements), or the refinement's name. */
  readonly name: string;
  /** SQNR of the model's outputs on samples that were kept for judging, mean over outputs, dB; null for models without float outputs. */
  readonly outputSqnrDb: number | null;
  readonly seconds: number;
  /** Whether it is at least as good as the best below; the others are left out of the model. */
  readonly kept: boolean;
  readonly notes: readonly string[];
  /** Its model on labelled data; null when that was not measured. */
  readonly evaluation: Evaluation | null;
}

/** The record of one quantization. */
export interface QuantizationReport {
  readonly modicumVersion: string;
  readonly runtime: string;
  readonly date: string;
  readonly input: { readonly path: string | null; readonly sizeBytes: number; readonly sha256: string };
  readonly output: { readonly path: string | null; readonly sizeBytes: number };
  /** "cpu", "webgpu", "portable", or "simulate": float arithmetic that computes what 4-bit hardware would, not deployable. */
  readonly target: string;
  readonly deployable: boolean;
  /** Everything that was asked for, after defaults. */
  readonly settings: Readonly<Record<string, string | number | boolean>>;
  readonly calibration: { readonly source: string; readonly samples: number; readonly batches: number };
  readonly seconds: number;
  /** Largest resident memory of the process; null where the platform does not tell. */
  readonly peakMemoryBytes: number | null;
  readonly layers: readonly LayerReport[];
  /** From plain min-max up; empty without refinements. */
  readonly ladder: readonly RungReport[];
  /** How bits of layers were chosen; null where nothing was limited. */
  readonly mixedPrecision: MixedPrecisionReport | null;
  /** Sentences about what the user should know: layers left in float and why, what to try next. */
  readonly remarks: readonly string[];
  /** Weights' bits per value as stored, mean over quantized weights. */
  readonly meanWeightBits: number;
  /** Largest absolute difference between the prepared float model and the original on one calibration sample. */
  readonly preparationDifference: number | null;
}

/** Accuracy and speed of one model on one data set. */
export interface Evaluation {
  readonly path: string;
  readonly sizeBytes: number;
  /** Samples evaluated. */
  readonly count: number;
  /** Percent; null without labels. */
  readonly top1: number | null;
  readonly top5: number | null;
  /** Standard error of top1, percent. */
  readonly top1StandardError: number | null;
  /** Latency of one sample at batch 1, milliseconds. */
  readonly latencyMs: { readonly median: number; readonly p95: number };
  /** Samples per second at the evaluation batch. */
  readonly throughput: number;
  /** Percent of samples on which the top-1 class equals the first model's; null for the first. */
  readonly agreement: number | null;
  /** SQNR of the outputs against the first model's, dB; null for the first. */
  readonly outputSqnrDb: number | null;
  /** Kullback-Leibler divergence of class probabilities from the first model's, nats; null for the first, and without classes. */
  readonly outputDivergence: number | null;
}
