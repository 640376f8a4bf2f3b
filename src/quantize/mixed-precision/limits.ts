/** Limits on what a quantized model may cost, and the record of how they were kept. */
import type { ModelFile } from "../../onnx/index.ts";

/** Limits that the widths of layers are chosen by; at least one. */
export interface Limits {
  /** Largest file, in bytes. */
  readonly sizeBytes?: number;
  /** Longest median time of one run on a calibration sample, in milliseconds, on this machine with this runtime. */
  readonly latencyMs?: number;
  /** Most points of `drop` that may be lost: the smallest file within is taken. */
  readonly maxDrop?: number;
  /** What `maxDrop` is measured by. Default: agreement with the float model on calibration samples kept apart. */
  readonly drop?: DropMeasure;
}

/** How much worse a model is than the float model. */
export interface DropMeasure {
  /** Such as "top-1" or "agreement with the float model"; points of what. */
  readonly name: string;
  /** Returns the points lost: 0 for the float model itself. */
  measure(model: ModelFile): Promise<number>;
}

/** One width of one layer and what it was found to cost. */
export interface WidthReport {
  /** Bits of the weights; 16 for float. */
  readonly bits: number;
  /** What it does alone to the model's outputs, in the report's `errorMeasure`. */
  readonly error: number;
  readonly sizeBytes: number;
  /** Of the layer; null where latency was not limited. */
  readonly latencyMs: number | null;
}

/** Layers that have one width: nearly always just one layer. */
export interface LayerWidthsReport {
  readonly names: readonly string[];
  /** Bits that were chosen. */
  readonly bits: number;
  readonly widths: readonly WidthReport[];
}

/** A model that was made and measured on the way. */
export interface LimitTrial {
  readonly sizeBytes: number;
  /** Points of `dropMeasure`; null where it was not measured. */
  readonly drop: number | null;
  readonly latencyMs: number | null;
  readonly kept: boolean;
}

/** How widths were chosen. */
export interface MixedPrecisionReport {
  readonly limits: {
    readonly sizeBytes: number | null;
    readonly latencyMs: number | null;
    readonly maxDrop: number | null;
  };
  /** "relative squared error of class scores" or "relative squared error of outputs". */
  readonly errorMeasure: string;
  /** Samples that errors were measured on. */
  readonly samples: number;
  /** Name of what drops were measured by; null where they were not. */
  readonly dropMeasure: string | null;
  readonly layers: readonly LayerWidthsReport[];
  readonly trials: readonly LimitTrial[];
  readonly seconds: number;
}
