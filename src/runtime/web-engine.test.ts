import type { InferenceSessionFactory, TensorConstructor } from "onnxruntime-common";
import { describe, expect, it } from "vitest";
import type { ExternalFile } from "../onnx/index.ts";
import { webRuntime } from "./web.ts";
import { type OnnxRuntimeWeb, webEngineRuntime } from "./web-engine.ts";

/** A build of onnxruntime-web that records what it is asked for. */
function fakeEngine(create: (bytes: Uint8Array, options: object) => Promise<unknown>): OnnxRuntimeWeb {
  const InferenceSession = { create } as unknown as InferenceSessionFactory;
  const env = { wasm: {}, webgl: {}, webgpu: {}, versions: { common: "1.2.3" } } as OnnxRuntimeWeb["env"];
  return { InferenceSession, env, Tensor: class {} as unknown as TensorConstructor };
}

function refusing(): OnnxRuntimeWeb {
  return fakeEngine(async () => Promise.reject(new Error("no")));
}

function weights(sizeBytes: number, chunks: Uint8Array[]): ExternalFile {
  return { location: "w.bin", sizeBytes, chunks: () => chunks };
}

describe("the engine of onnxruntime-web", () => {
  it("has one number of threads for all, set by the first who asks", async () => {
    const engine = refusing();
    const runtime = webEngineRuntime(engine, { device: "wasm", threads: 2 });
    expect(engine.env.wasm.numThreads).toBe(2);
    expect(() => webEngineRuntime(engine, { device: "wasm", threads: 1 })).toThrow(
      "runtime: threads must be the same for all WASM sessions of a process, got 1 after 2.",
    );
    const model = { bytes: new Uint8Array(0), external: [] };
    await expect(runtime.createSession(model, { threads: 4 })).rejects.toMatchObject({ code: "option" });
    await expect(runtime.createSession(model, { threads: 2 })).rejects.toMatchObject({ code: "runtime" });
  });

  it("never works on two things at once, and goes on after a failure", async () => {
    let running = 0;
    let most = 0;
    const engine = fakeEngine(async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 1));
      running--;
      throw new Error("no");
    });
    const runtime = webEngineRuntime(engine, { device: "webgpu" });
    const model = { bytes: new Uint8Array(0), external: [] };
    const results = await Promise.allSettled(Array.from({ length: 5 }, () => runtime.createSession(model)));
    expect(results.map(({ status }) => status)).toEqual(Array(5).fill("rejected"));
    expect(most).toBe(1);
  });

  it("hands weight files over whole, and refuses those that are shorter or longer than they say", async () => {
    const asked: object[] = [];
    const engine = fakeEngine(async (_bytes, options) => {
      asked.push(options);
      throw new Error("no");
    });
    const runtime = webEngineRuntime(engine, { device: "wasm" });
    const load = (file: ExternalFile) => runtime.createSession({ bytes: new Uint8Array(0), external: [file] });
    await expect(load(weights(3, [Uint8Array.of(1, 2), Uint8Array.of(3)]))).rejects.toThrow("got: no");
    expect(asked[0]).toMatchObject({ externalData: [{ path: "w.bin", data: Uint8Array.of(1, 2, 3) }] });
    for (const size of [2, 4]) {
      await expect(load(weights(size, [Uint8Array.of(1, 2), Uint8Array.of(3)]))).rejects.toThrow(
        `weight file "w.bin" must hold ${size} bytes, got ${size === 2 ? "more" : "3"}`,
      );
    }
    expect(asked).toHaveLength(1);
  });
});

describe("webRuntime outside a page", () => {
  it("says what threads and WebGPU need", async () => {
    await expect(webRuntime({ threads: 2 })).rejects.toThrow(/threads must be 1 .* got 2.*nodeRuntime/);
    await expect(webRuntime({ device: "webgpu" })).rejects.toThrow(/must offer a WebGPU adapter, got none/);
    // @ts-expect-error: no such device
    await expect(webRuntime({ device: "cpu" })).rejects.toThrow('device must be "wasm" or "webgpu", got "cpu"');
  });
});
