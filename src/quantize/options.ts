/** What a caller can ask of `quantize`. */
import type { Tensor } from "../tensor/index.ts";

/** Which machine the quantized model is written for. */
export type Target = "cpu" | "webgpu" | "portable";

/** How bits are shared among the channels of a tensor (ACIQ section 6). */
export type Allocation = "none" | "plain" | "fixed-target" | "bits-optimal";

/** What is put right in quantized weights (ACIQ section 7). */
export type Correction = "none" | "mean" | "mean-variance" | "mean-variance-paper";

/** One set of inputs of the model, by input name; the first axis is the batch where the model has one. */
export type Feeds = Readonly<Record<string, Tensor>>;

/** Where calibration inputs come from. `batches` is called once per pass and must give the same inputs each time. */
export interface CalibrationData {
  /** For the report: a path, "data-free (batch-norm statistics)", "synthetic". */
  readonly description: string;
  /** Number of samples, when known. */
  readonly count?: number;
  batches(): AsyncIterable<Feeds>;
}

/** A step of long work, for progress bars and logs. */
export interface Progress {
  /** Name of the stage: "prepare", "calibrate", "quantize", "measure", ... */
  readonly stage: string;
  readonly done: number;
  /** Undefined when the total is not known beforehand. */
  readonly total: number | undefined;
  readonly unit: string;
}
