/** The contract between Modicum and whatever runs ONNX models: implemented in node.ts and web.ts, chosen by the caller. */
import type { ModelFile } from "../onnx/index.ts";
import type { DType, Tensor } from "../tensor/index.ts";

/** Where a model runs. */
export type Device = "cpu" | "wasm" | "webgpu" | "cuda";

/** How a session is made. */
export interface SessionOptions {
  /** Graph rewrites ONNX Runtime may make. Default "all". */
  readonly optimization?: "all" | "basic" | "disabled";
  /**
   * Keeps ONNX Runtime from rewriting quantize/dequantize pairs, so that a simulated quantization computes what it says
   * (`session.disable_quant_qdq`). Default false.
   */
  readonly keepQuantization?: boolean;
  /** Threads inside one operator. Default: the runtime's choice. */
  readonly threads?: number;
  /**
   * For integer models on processors without VNNI: slower products that cannot saturate (`session.x64quantprecision`).
   * Default false.
   */
  readonly exactIntegers?: boolean;
  /**
   * Outputs that `runHolding` leaves where they are computed, of 16- or 32-bit floats or 32-bit integers. Default none.
   */
  readonly held?: readonly string[];
}

/** A result that stays where it was computed: in the memory of a GPU, or of a worker. Feed it to sessions of the same runtime. */
export interface HeldTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Brings the numbers here. The tensor stays what and where it is. */
  read(): Promise<Tensor>;
  /** Frees the memory; the tensor cannot be used afterwards. Always call it. */
  release(): void;
}

/** What a run that holds outputs gives. */
export interface HoldingResults {
  /** The other outputs. */
  readonly results: Readonly<Record<string, Tensor>>;
  /** The held outputs. */
  readonly held: Readonly<Record<string, HeldTensor>>;
}

/** A model made ready to run. */
export interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /**
   * Runs the model once.
   *
   * @param feeds One tensor per model input.
   * @param fetches Names of the outputs wanted; all by default.
   * @throws RuntimeFailure with the node at fault where ONNX Runtime names one.
   */
  run(feeds: Readonly<Record<string, Tensor>>, fetches?: readonly string[]): Promise<Record<string, Tensor>>;
  /**
   * Runs the model once on tensors and held tensors, and leaves the outputs named in `held` where they are: for what is only
   * fed again, such as the variables of a training step.
   *
   * @throws RuntimeFailure as `run`.
   */
  runHolding(feeds: Readonly<Record<string, Tensor | HeldTensor>>): Promise<HoldingResults>;
  /** Frees the model's memory; the session cannot be used afterwards. Always call it. */
  release(): Promise<void>;
}

/** A way to run ONNX models, on one device. */
export interface Runtime {
  readonly device: Device;
  /** Name and version for reports, such as `onnxruntime-node 1.30.0`. */
  readonly description: string;
  /**
   * Makes a model ready to run.
   *
   * @throws RuntimeFailure if ONNX Runtime refuses the model.
   */
  createSession(model: ModelFile, options?: SessionOptions): Promise<Session>;
}
