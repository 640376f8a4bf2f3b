/** Choosing what runs models on the command line. ONNX Runtime is loaded when a model is first run. */
import type { Device, Runtime } from "../runtime/index.ts";

/** What the options of `addRuntimeOptions` leave in a command's options. */
export interface RuntimeChoice {
  readonly device?: Device;
  readonly threads?: number;
}

/**
 * Loads ONNX Runtime for a device: its web package for "wasm", the native one for all others.
 *
 * @throws RuntimeFailure, OptionError if the device cannot be had.
 */
export async function chooseRuntime({ device = "cpu", threads }: RuntimeChoice): Promise<Runtime> {
  const { nodeRuntime } = await import("../runtime/node.ts");
  return nodeRuntime(threads === undefined ? { device } : { device, threads });
}

/** Makes a CPU runtime that loads ONNX Runtime only if a model is really run. */
export function lazyCpuRuntime(): Runtime {
  return {
    device: "cpu",
    description: "onnxruntime-node",
    createSession: async (model, options) => (await chooseRuntime({})).createSession(model, options),
  };
}
