/** The runtime over whichever build of onnxruntime-web it is given: the browser's from web.ts, Node's from node.ts. */
import type { Env, InferenceSession, InferenceSessionFactory, TensorConstructor } from "onnxruntime-common";
import { OptionError, RuntimeFailure } from "../errors.ts";
import type { ExternalFile } from "../onnx/index.ts";
import { toLoadFailure } from "./ort-error.ts";
import { assertThreads, toOrtOptions, wrapSession } from "./ort-session.ts";
import type { Runtime } from "./session.ts";

/** What we use of a build of onnxruntime-web. */
export interface OnnxRuntimeWeb {
  readonly InferenceSession: InferenceSessionFactory;
  readonly Tensor: TensorConstructor;
  readonly env: Env;
}

/** Which device, how many threads, and where the engine's files are. */
export interface WebEngineOptions {
  readonly device: "wasm" | "webgpu";
  readonly threads?: number | undefined;
  readonly wasmPaths?: string | undefined;
}

/**
 * Makes the runtime over a build of onnxruntime-web. The engine starts with the first session; all sessions over the same
 * build share its threads and run one after another.
 *
 * @throws OptionError if the build was already set to other threads.
 */
export function webEngineRuntime(ort: OnnxRuntimeWeb, options: WebEngineOptions): Runtime {
  const { device, threads, wasmPaths } = options;
  const { wasm, versions } = ort.env;
  setThreads(wasm, threads);
  if (wasmPaths !== undefined) wasm.wasmPaths = wasmPaths;
  ort.env.logLevel = "fatal";
  return {
    device,
    description: `onnxruntime-web ${versions.web ?? versions.common}`,
    async createSession(model, { threads: sessionThreads, ...sessionOptions } = {}) {
      setThreads(wasm, sessionThreads);
      const { held } = sessionOptions;
      const ortOptions: InferenceSession.SessionOptions = {
        ...toOrtOptions(sessionOptions),
        executionProviders: [device],
        ...(device === "webgpu" && held ? { preferredOutputLocation: onGpu(held) } : {}),
        externalData: model.external.map((file) => ({ path: file.location, data: wholeFile(file) })),
      };
      const session = await oneAtATime(() => ort.InferenceSession.create(model.bytes, ortOptions)).catch((error) => {
        throw toLoadFailure(error);
      });
      return wrapSession(session, { OrtTensorClass: ort.Tensor, oneAtATime, held });
    },
  };
}

function onGpu(names: readonly string[]): Record<string, "gpu-buffer"> {
  return Object.fromEntries(names.map((name) => [name, "gpu-buffer"]));
}

/** Sets the engine's threads, which are the same for all sessions and stay as they are once it has started. */
function setThreads(wasm: Env.WebAssemblyFlags, threads: number | undefined): void {
  assertThreads(threads);
  if (threads === undefined) return;
  if (wasm.numThreads !== undefined && wasm.numThreads !== threads) {
    throw new OptionError(
      `runtime: threads must be the same for all WASM sessions of a process, got ${threads} after ${wasm.numThreads}.`,
    );
  }
  wasm.numThreads = threads;
}

/** Returns the content of a weight file; WASM has no file system to stream it to. */
function wholeFile(file: ExternalFile): Uint8Array {
  const bytes = new Uint8Array(file.sizeBytes);
  const wrongSize = (got: string) =>
    new RuntimeFailure(`createSession: weight file "${file.location}" must hold ${bytes.length} bytes, got ${got}.`);
  let at = 0;
  for (const chunk of file.chunks()) {
    if (at + chunk.length > bytes.length) throw wrongSize("more");
    bytes.set(chunk, at);
    at += chunk.length;
  }
  if (at < bytes.length) throw wrongSize(`${at}`);
  return bytes;
}

let last: Promise<unknown> = Promise.resolve();

/** The engine's asynchronous calls (WebGPU, external weights) must not overlap: its state is one per module. */
function oneAtATime<T>(work: () => Promise<T>): Promise<T> {
  const result = last.then(work);
  last = result.catch(() => {});
  return result;
}
