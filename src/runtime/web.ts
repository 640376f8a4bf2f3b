/** Models run by onnxruntime-web: WASM or WebGPU, in browsers and workers (and WASM on one thread in Node). */
import { OptionError, RuntimeFailure } from "../errors.ts";
import type { Runtime } from "./session.ts";
import { webEngineRuntime } from "./web-engine.ts";

export { connectRuntime } from "./connect-runtime.ts";
export { serveRuntime } from "./serve-runtime.ts";
export { workerChannel } from "./worker-channel.ts";

/** Which device, how many threads, and where the engine's files are. */
export interface WebRuntimeOptions {
  /** Default "wasm". */
  readonly device?: "wasm" | "webgpu";
  /** Threads of the WASM engine, for all sessions. Default: half the cores, at most 4; 1 where the page is not cross-origin isolated. */
  readonly threads?: number;
  /** Folder (URL with a final slash) of onnxruntime-web's `.wasm` files. Default: where the bundler put them. */
  readonly wasmPaths?: string;
}

/**
 * Makes the runtime over onnxruntime-web.
 *
 * WASM computes on the thread that calls it: to keep a page responsive, call `serveRuntime` in a worker of yours and
 * `connectRuntime` in the page.
 *
 * @throws RuntimeFailure if WebGPU is asked for and this browser offers none.
 * @throws OptionError if threads are asked for that cannot be had.
 * @example
 * const runtime = await webRuntime({ device: "webgpu" });
 * const session = await runtime.createSession({ bytes: new Uint8Array(buffer), external: [] });
 */
export async function webRuntime(options: WebRuntimeOptions = {}): Promise<Runtime> {
  const { device = "wasm", wasmPaths } = options;
  const threads = threadsOf(options.threads);
  switch (device) {
    case "wasm":
      return webEngineRuntime(await import("onnxruntime-web/wasm"), { device, wasmPaths, threads });
    case "webgpu":
      await assertWebGpu();
      return webEngineRuntime(await import("onnxruntime-web/webgpu"), { device, wasmPaths, threads });
    default:
      throw new OptionError(`webRuntime: device must be "wasm" or "webgpu", got "${String(device)}".`);
  }
}

/** Threads need memory shared with workers. The engine would drop to one thread with no more than a line on the console. */
function threadsOf(asked: number | undefined): number | undefined {
  if (globalThis.crossOriginIsolated === true) return asked;
  if (asked === undefined || asked === 1) return 1;
  throw new OptionError(
    `webRuntime: threads must be 1 where the page is not cross-origin isolated, got ${asked}. Serve the page with the headers ` +
      "Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp; in Node use nodeRuntime.",
  );
}

async function assertWebGpu(): Promise<void> {
  const adapter = await globalThis.navigator?.gpu?.requestAdapter();
  if (adapter) return;
  throw new RuntimeFailure(
    "webRuntime: the browser must offer a WebGPU adapter, got none. Use device wasm, or turn on WebGPU and serve the page over https or from localhost.",
  );
}
