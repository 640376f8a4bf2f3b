/** The contract between Modicum and whatever runs ONNX models: implemented in node.ts and web.ts, chosen by the caller. */
import type { ModelFile } from "../onnx/index.ts";
import type { Tensor } from "../tensor/index.ts";

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
