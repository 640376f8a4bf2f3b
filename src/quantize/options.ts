/** What a caller can ask of `quantize`. */
import type { Runtime } from "../runtime/index.ts";
import type { Tensor } from "../tensor/index.ts";
import type { BlockGridKind } from "./block-format.ts";
import type { LayerBitsOption } from "./layer-bits.ts";
import type { Limits } from "./mixed-precision/limits.ts";
import type { Refinement } from "./refinements/refinement.ts";
import type { WorkStore } from "./refinements/work-store.ts";

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

/** Everything a caller can choose about a quantization. Defaults are those of the command line. */
export interface QuantizeOptions {
  /** Runs the model for calibration and measurement. */
  readonly runtime: Runtime;
  /** Bits of the weights, 2 to 8; 16 leaves them in float. Default 8. */
  readonly weights?: number;
  /** Bits of the activations, 2 to 8; 16 leaves them in float. Below 8 only with `simulate`. Default 8. */
  readonly activations?: number;
  /** Machine the result is written for. Default "cpu" (ONNX Runtime on CPU and WebAssembly). */
  readonly target?: Target;
  /** Writes a float model that computes what the quantized arithmetic would, for settings no runtime executes. Default false. */
  readonly simulate?: boolean;
  /**
   * Name of the range method for activations (see `rangeMethods`). Default "mse"; in deployable models "mse-wide",
   * or for all tensors that no ReLU bounds "aciq-laplace", whichever leaves the outputs closer to float on some of the data.
   */
  readonly range?: string;
  /** Bins or levels in ACIQ's formulas. Default "levels". */
  readonly variant?: "paper" | "levels";
  /** One range per activation tensor, or one per channel (simulation only). */
  readonly granularity?: "tensor" | "channel";
  /** Per-channel bit allocation of weights (simulation only). */
  readonly weightAllocation?: Allocation;
  /** Per-channel bit allocation of activations (simulation only). */
  readonly activationAllocation?: Allocation;
  /** Correction of quantized weights. */
  readonly correction?: Correction;
  /** How weight scales are chosen: the largest magnitude, or the least squared error. */
  readonly weightRange?: "min-max" | "mse";
  /**
   * Weights that share a scale where matrix products and embeddings have float activations: 16, 32, 64, 128 or 256. Default
   * 32. Smaller blocks are more accurate and larger.
   */
  readonly blockSize?: number;
  /** Whether blocks have zero points. Default "asymmetric" up to 4 bits, where it is worth its eighth of a bit, else "symmetric", as always for "webgpu". */
  readonly blockGrid?: BlockGridKind;
  /** Name of the layer policy: which layers keep 8 bits (see `layerPolicies`). */
  readonly policy?: string;
  /** Bits of single layers by name (see `modicum inspect`), whatever the policy says. Default: none. */
  readonly layerBits?: Readonly<Record<string, LayerBitsOption>>;
  /**
   * What the result may cost: bits of weights are then chosen layer by layer, so that the outputs change least within the
   * limits, instead of `weights`. First and last layers are treated like all others unless a `policy` is named; `layerBits` stay.
   */
  readonly limits?: Limits;
  /** Inputs to calibrate on; without them ranges come from batch-norm statistics, or from synthetic input. */
  readonly calibration?: CalibrationData;
  /**
   * What is done beyond closed formulas, in this order; each is kept only if samples it was not fitted to say that it helps (see
   * `refinements`). Activations then have one range per tensor and weights one width per layer, also in simulations.
   * Default: none.
   */
  readonly refinements?: readonly Refinement[];
  /** Seconds after which no refinement goes on; the best so far is what is written. Default: no limit. */
  readonly budgetSeconds?: number;
  /** Keeps what refinements have done, so that an interrupted call with the same model and options goes on where it was. */
  readonly work?: WorkStore;
  /** Default 0. */
  readonly seed?: number;
  /** Called as work proceeds. */
  readonly onProgress?: (progress: Progress) => void;
  /** Stops the work at the next batch, tensor or layer. */
  readonly signal?: AbortSignal;
}
