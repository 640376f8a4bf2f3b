/** Models run in Node: by the native engine of onnxruntime-node, or by the WASM engine of onnxruntime-web. */
import { mkdir, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, extname, join, resolve } from "node:path";
import { Worker } from "node:worker_threads";
import type { InferenceSession, TensorConstructor } from "onnxruntime-common";
import { FileError, ModicumError, OptionError, RuntimeFailure } from "../errors.ts";
import type { ModelFile } from "../onnx/index.ts";
import { connectRuntime } from "./connect-runtime.ts";
import { toLoadFailure } from "./ort-error.ts";
import { type SessionHost, toOrtOptions, wrapSession } from "./ort-session.ts";
import type { Device, Runtime, Session, SessionOptions } from "./session.ts";
import { withUnconvertibleOutput } from "./unconvertible-output.ts";
import { webEngineRuntime } from "./web-engine.ts";

/** Which device and how many threads. */
export interface NodeRuntimeOptions {
  /**
   * Default "cpu". "wasm" needs onnxruntime-web only, "webgpu" is bundled with onnxruntime-node on most platforms, "cuda"
   * needs CUDA libraries.
   */
  readonly device?: Device;
  /** Threads inside one operator, for sessions that do not say. Default: one per core; WASM half of them, at most 4. */
  readonly threads?: number;
  /**
   * Runs models in a worker thread, so that the event loop stays free: without it, it stands still while a model runs. Feeds
   * are copied into the worker. Default false.
   */
  readonly worker?: boolean;
}

/** What we use of the package; its own types are those of onnxruntime-common. */
interface OnnxRuntimeNode {
  readonly InferenceSession: typeof InferenceSession;
  readonly Tensor: TensorConstructor;
  readonly env: { logLevel?: string; readonly versions: { readonly node?: string; readonly common: string } };
  listSupportedBackends(): readonly { readonly name: string }[];
}

/** Models above this size are loaded by path: one message in memory cannot be larger. */
const MAX_BYTES_IN_MEMORY = 2 ** 31 - 1;

/**
 * Makes the runtime over onnxruntime-node; over onnxruntime-web when the device is "wasm".
 *
 * ONNX Runtime's own telemetry is turned off, unless the environment says `ORT_DISABLE_TELEMETRY=0`. (In a worker thread
 * the environment is a copy: set it in the process that starts the worker.)
 *
 * @throws RuntimeFailure if onnxruntime-node, an optional dependency, is not installed.
 * @throws OptionError if this platform's build lacks the device.
 * @example
 * const runtime = await nodeRuntime();
 * const session = await runtime.createSession({ bytes: await readFile("model.onnx"), external: [] });
 */
export async function nodeRuntime(options: NodeRuntimeOptions = {}): Promise<Runtime> {
  const { device = "cpu", threads, worker = false } = options;
  if (worker) return workerRuntime({ device, ...(threads === undefined ? {} : { threads }) });
  if (device === "wasm") return webEngineRuntime(await import("onnxruntime-web"), { device, threads });
  const ort = await importOnnxRuntimeNode();
  const devices = ort.listSupportedBackends().map((backend) => backend.name);
  if (!devices.includes(device)) {
    throw new OptionError(
      `nodeRuntime: device must be one of ${devices.join(", ")} on this platform, got "${device}".`,
    );
  }
  return {
    device,
    description: `onnxruntime-node ${ort.env.versions.node ?? ort.env.versions.common}`,
    createSession: (model, sessionOptions = {}) =>
      createSession(ort, device, model, threads === undefined ? sessionOptions : { threads, ...sessionOptions }),
  };
}

/** Starts a thread of this folder's node-worker, which keeps the process alive only while it works. */
async function workerRuntime(options: NodeRuntimeOptions): Promise<Runtime> {
  disableTelemetry();
  const worker = startWorker(options);
  const gone = new Promise<string>((resolve) => {
    worker.once("error", (error) => resolve(`an error in it: ${error.message}`));
    worker.once("exit", (code) => resolve(`its exit with code ${code}`));
  });
  return connectRuntime(
    {
      send: (message, transfer = []) => worker.postMessage(message, transfer),
      receive: (listener) => worker.on("message", listener),
    },
    { gone, onWaiting: (waiting) => (waiting ? worker.ref() : worker.unref()) },
  );
}

function startWorker(workerData: NodeRuntimeOptions): Worker {
  const extension = extname(new URL(import.meta.url).pathname);
  const url = new URL(`./node-worker${extension}`, import.meta.url);
  if (extension !== ".ts") return new Worker(url, { workerData });
  // From the sources: before 22.18 Node reads no TypeScript, and threads do not inherit the loader that does.
  const start = `import("tsx/esm/api").then(({ register }) => (register(), import("${url.href}")))`;
  return new Worker(start, { eval: true, workerData });
}

/** Since 1.29 the native library reports models and runs to Microsoft unless this is set before it loads. */
function disableTelemetry(): void {
  process.env.ORT_DISABLE_TELEMETRY ??= "1";
}

async function importOnnxRuntimeNode(): Promise<OnnxRuntimeNode> {
  disableTelemetry();
  try {
    const ort = (await import("onnxruntime-node")) as unknown as OnnxRuntimeNode;
    ort.env.logLevel = "fatal";
    return ort;
  } catch (cause) {
    throw new RuntimeFailure(
      "nodeRuntime: the package onnxruntime-node must be installed, got none that loads on this platform. " +
        "Install it with `npm install onnxruntime-node --ignore-scripts`, or use the device wasm.",
      { cause },
    );
  }
}

async function createSession(
  ort: OnnxRuntimeNode,
  device: string,
  model: ModelFile,
  options: SessionOptions,
): Promise<Session> {
  const { held } = options;
  const ortOptions = { ...toOrtOptions(options), executionProviders: [device] };
  if (model.external.length === 0 && model.bytes.byteLength <= MAX_BYTES_IN_MEMORY) {
    const create = ({ bytes }: ModelFile) => load(() => ort.InferenceSession.create(bytes, ortOptions));
    const session =
      device === "cpu" && held && held.length > 0
        ? // Refused with models of opsets before 11: they run as they are.
          await create(withUnconvertibleOutput(model)).catch(() => create(model))
        : await create(model);
    return wrapSession(session, { OrtTensorClass: ort.Tensor, oneAtATime: atOnce, held });
  }
  const folder = await mkdtemp(join(tmpdir(), "modicum-")).catch((cause) => {
    throw noRoom(cause);
  });
  const removeFolder = () => rm(folder, { recursive: true, force: true });
  try {
    const path = await writeModel(folder, model);
    const session = await load(() => ort.InferenceSession.create(path, ortOptions));
    // The weights are mapped or copied by now. Only Windows keeps mapped files from being removed; there it waits.
    await removeFolder().catch(() => {});
    return await wrapSession(session, {
      OrtTensorClass: ort.Tensor,
      oneAtATime: atOnce,
      held,
      onRelease: removeFolder,
    });
  } catch (error) {
    await removeFolder();
    throw error;
  }
}

/** The native engine takes calls at any time. */
const atOnce: SessionHost["oneAtATime"] = (work) => work();

async function load(create: () => Promise<InferenceSession>): Promise<InferenceSession> {
  try {
    return await create();
  } catch (error) {
    throw toLoadFailure(error);
  }
}

/** Writes a model and its weight files into a folder; returns the model's path. */
async function writeModel(folder: string, model: ModelFile): Promise<string> {
  const path = join(folder, "model.onnx");
  await writeChunks(path, () => [model.bytes]);
  for (const external of model.external) {
    const { location } = external;
    const target = resolve(folder, location);
    if (!target.startsWith(join(folder, "/")) || target === path) {
      throw new RuntimeFailure(`createSession: weight files must lie in the model's folder, got "${location}".`);
    }
    await writeChunks(target, () => external.chunks());
  }
  return path;
}

async function writeChunks(path: string, chunks: () => Iterable<Uint8Array>): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(path, "wx");
    try {
      for (const chunk of chunks()) await file.writeFile(chunk);
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw cause instanceof ModicumError ? cause : noRoom(cause);
  }
}

function noRoom(cause: unknown): FileError {
  return new FileError(
    `createSession: models with weight files must fit in the temporary folder ${tmpdir()}, got: ${(cause as Error).message}. ` +
      "Make room there, or set TMPDIR.",
    { cause },
  );
}
