import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../test/support/engines.ts";
import type { ExternalFile, ModelFile } from "../onnx/index.ts";
import { float32, int64 } from "../tensor/index.ts";
import { caseModel, doubling } from "./case-models.cases.ts";
import { nodeRuntime } from "./node.ts";

/** x + w with w in a file of 4 KiB beside the model. */
const WITH_WEIGHTS = caseModel(
  ({ emitter, input }) => {
    const w = emitter.constant("w", float32([1024], new Float32Array(1024).fill(1)));
    return [emitter.emit("Add", [input("x", "float32", [1024]), w], { output: "y", dtype: "float32", shape: [1024] })];
  },
  { externalData: { location: "weights.bin", thresholdBytes: 16 } },
);

/** Products of square matrices, one after another. */
function slow(): ModelFile {
  return caseModel(({ emitter, input }) => {
    const x = input("x", "float32", ["n", "n"]);
    const facts = { dtype: "float32", shape: ["n", "n"] } as const;
    let y = x;
    for (let i = 0; i < 200; i++) y = emitter.emit("MatMul", [y, x], facts);
    return [y];
  });
}

function withExternal(changes: Partial<ExternalFile>): ModelFile {
  const [external] = WITH_WEIGHTS.external;
  return { bytes: WITH_WEIGHTS.bytes, external: [{ ...external!, ...changes }] };
}

describeUnless(reasonWithoutOnnxRuntimeNode(), "models with weight files in Node", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "modicum-test-"));
    vi.stubEnv("TMPDIR", folder);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true, force: true });
  });

  it("leave nothing in the temporary folder, not even while they run", async () => {
    const session = await (await nodeRuntime({ threads: 1 })).createSession(WITH_WEIGHTS);
    expect(readdirSync(folder)).toEqual([]);
    const { y } = await session.run({ x: float32([1024], new Float32Array(1024)) });
    expect(y!.data[1023]).toBe(1);
    await session.release();
  });

  it("leave nothing behind when ONNX Runtime refuses them", async () => {
    const runtime = await nodeRuntime();
    await expect(runtime.createSession(withExternal({ chunks: () => [new Uint8Array(16)] }))).rejects.toThrow(
      "createSession: ONNX Runtime must accept the model",
    );
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each(["../weights.bin", "/etc/weights.bin", "a/../../weights.bin", "model.onnx", "."])(
    "are refused when a file would leave their folder or replace the model: %s",
    async (location) => {
      const runtime = await nodeRuntime();
      await expect(runtime.createSession(withExternal({ location }))).rejects.toThrow(
        `createSession: weight files must lie in the model's folder, got "${location}"`,
      );
      expect(readdirSync(folder)).toEqual([]);
    },
  );

  it("say where room is missing when they cannot be written", async () => {
    const runtime = await nodeRuntime();
    const full = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
    const chunks = () => {
      throw full;
    };
    await expect(runtime.createSession(withExternal({ chunks }))).rejects.toMatchObject({
      code: "file",
      cause: full,
      message: expect.stringContaining(`must fit in the temporary folder ${folder}, got: ENOSPC`),
    });
    vi.stubEnv("TMPDIR", join(folder, "missing"));
    await expect(runtime.createSession(WITH_WEIGHTS)).rejects.toMatchObject({ code: "file" });
    expect(readdirSync(folder)).toEqual([]);
  });
});

describeUnless(reasonWithoutOnnxRuntimeNode(), "a runtime in a worker thread", () => {
  it("leaves the event loop free while a model runs", async () => {
    const runtime = await nodeRuntime({ worker: true, threads: 1 });
    const session = await runtime.createSession(slow());
    let turns = 0;
    const count = setInterval(() => turns++, 1);
    await session.run({ x: float32([200, 200], new Float32Array(200 * 200)) });
    clearInterval(count);
    // The same run on the main thread gives none. It takes some 50 ms; a single turn is proof.
    expect(turns).toBeGreaterThan(0);
    await session.release();
  });

  it("says why when the engine does not start", async () => {
    // @ts-expect-error: no such device
    await expect(nodeRuntime({ worker: true, device: "abacus" })).rejects.toMatchObject({
      code: "option",
      message: expect.stringContaining('got "abacus"'),
    });
  });

  it("copies what it is fed, and moves what it gives", async () => {
    const runtime = await nodeRuntime({ worker: true, threads: 1 });
    const session = await runtime.createSession(doubling());
    const x = float32([1, 3], [1, 2, 3]);
    const { y } = await session.run({ x });
    expect([...(x.data as Float32Array)]).toEqual([1, 2, 3]);
    expect([...(y!.data as Float32Array)]).toEqual([2, 4, 6]);
    await session.release();
  });

  it("refuses tensors that another runtime holds", async () => {
    const [first, second] = await Promise.all([0, 1].map(() => nodeRuntime({ worker: true, threads: 1 })));
    const [one, other] = await Promise.all(
      [first!, second!].map((runtime) => runtime.createSession(doubling(), { held: ["y"] })),
    );
    const { held } = await one!.runHolding({ x: float32([1, 3], [1, 2, 3]) });
    await expect(other!.runHolding({ x: held.y! })).rejects.toThrow("held tensors must come from sessions of the same");
    await one!.release();
    await other!.release();
  });
});

describeUnless(reasonWithoutOnnxRuntimeNode(), "a model that needs too much memory", () => {
  it("fails with the node that asked for it, and the process goes on", async () => {
    const runtime = await nodeRuntime({ threads: 1 });
    const session = await runtime.createSession(
      caseModel(({ emitter, input }) => {
        const wide = emitter.emit("ConstantOfShape", [input("shape", "int64", [1])], {
          name: "wide/ConstantOfShape_3",
        });
        return [emitter.emit("ReduceMax", [wide], { output: "y", dtype: "float32", shape: [1] })];
      }),
    );
    // More than any address space: no machine tries to fill it.
    await expect(session.run({ shape: int64([2 ** 50]) })).rejects.toThrow(
      'run: memory must hold ConstantOfShape node "wide/ConstantOfShape_3", got too little for 4294967296.0 MiB more.',
    );
    expect((await session.run({ shape: int64([2]) })).y!.data[0]).toBe(0);
    await session.release();
  });
});

describe("nodeRuntime", () => {
  afterEach(() => vi.unstubAllEnvs());

  it("turns ONNX Runtime's telemetry off before it loads, unless the user wants it", async () => {
    vi.stubEnv("ORT_DISABLE_TELEMETRY", undefined);
    await nodeRuntime().catch(() => {});
    expect(process.env.ORT_DISABLE_TELEMETRY).toBe("1");
    vi.stubEnv("ORT_DISABLE_TELEMETRY", "0");
    await nodeRuntime().catch(() => {});
    expect(process.env.ORT_DISABLE_TELEMETRY).toBe("0");
  });

  it("says what to do when onnxruntime-node is not installed", async () => {
    vi.resetModules();
    vi.doMock("onnxruntime-node", () => {
      throw new Error("Cannot find package 'onnxruntime-node'");
    });
    const { nodeRuntime: withoutPackage } = await import("./node.ts");
    await expect(withoutPackage()).rejects.toMatchObject({
      code: "runtime",
      message: expect.stringMatching(/onnxruntime-node must be installed.*npm install onnxruntime-node.*device wasm/),
    });
    vi.doUnmock("onnxruntime-node");
  });

  it("refuses a device it does not have, and takes threads from the session before its own", async () => {
    // @ts-expect-error: no such device
    await expect(nodeRuntime({ device: "abacus" })).rejects.toMatchObject({
      code: "option",
      message: expect.stringMatching(/device must be one of .*cpu.*, got "abacus"/),
    });
    const runtime = await nodeRuntime({ threads: 0 });
    await expect(runtime.createSession(doubling())).rejects.toMatchObject({ code: "option" });
    await (await runtime.createSession(doubling(), { threads: 1 })).release();
  });
});
