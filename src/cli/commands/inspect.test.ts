import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Layer } from "../../build/index.ts";
import * as nn from "../../nn/index.ts";
import { constantValue } from "../../program/index.ts";
import { float32, type Tensor, zeros } from "../../tensor/index.ts";
import { exportOnnx } from "../../train/index.ts";
import type { ModelSummary } from "../model-summary.ts";
import { EXAMPLE_MODEL, modelBytes, temporaryFolder } from "../models.cases.ts";
import { runMain } from "../run-main.cases.ts";

test("inspect --json says what the example is made of", async () => {
  const { code, stdout, stderr } = await runMain(["inspect", EXAMPLE_MODEL, "--json"]);
  expect(code).toBe(0);
  expect(stderr).toBe("");
  const summary = JSON.parse(stdout) as ModelSummary;
  expect(summary).toMatchObject({
    path: EXAMPLE_MODEL,
    sizeBytes: 402389,
    externalFiles: [],
    irVersion: 8,
    opsets: { "ai.onnx": 13 },
    inputs: [{ name: "input", dtype: "float32", shape: ["batch", 1, 28, 28] }],
    outputs: [{ name: "logits", dtype: "float32", shape: ["batch", 10] }],
    functions: [],
    isQuantized: false,
    remarks: [],
  });
  expect(summary.operators).toContainEqual({ operator: "Conv", count: 10 });
  // What was trained, mean and variance of every channel, and the two bounds of ReLU6.
  const trained = 97_530;
  const statistics = 2 * (16 + 32 + 96 + 96 + 32 + 96 + 96 + 64 + 64 + 64);
  expect(summary.parameters).toBe(trained + statistics + 2);
  expect(summary.weightBytes).toEqual({ float32: 4 * summary.parameters });
  expect(summary.layers).toHaveLength(11);
  expect(summary.layers[3]).toEqual({
    name: "block1.depthwise.conv",
    operator: "Conv",
    kind: "depthwise-conv",
    weightShape: [96, 1, 3, 3],
    parameters: 864,
    macs: 14 * 14 * 96 * 9,
    quantizable: true,
    reason: null,
  });
  expect(summary.macs).toBe(summary.layers.reduce((sum, layer) => sum + layer.macs!, 0));
});

test("inspect names the layers that stay in float, with the reason", async () => {
  const folder = await temporaryFolder();
  const path = join(folder, "products.onnx");
  const weight = constantValue("weight", float32([4, 4], new Float32Array(16).fill(0.5)));
  const bytes = modelBytes([["x", [1, 4, 4]]], (emitter, [x]) => {
    const y = emitter.emit("MatMul", [x!, weight], { name: "dense" });
    return emitter.emit("MatMul", [y, y], { name: "square", output: "y" });
  });
  await writeFile(path, bytes);
  const summary = JSON.parse((await runMain(["inspect", path, "--json"])).stdout) as ModelSummary;
  expect(summary.layers.map(({ name, quantizable }) => [name, quantizable])).toEqual([
    ["dense", true],
    ["square", false],
  ]);
  expect(summary.layers[1]?.reason).toMatch(/\w/);
  const { stdout } = await runMain(["inspect", path]);
  expect(stdout).toContain(`no: ${summary.layers[1]?.reason}`);
  expect(stdout).toContain("1 of 2 layers would be quantized");
});

test("inspect counts for the input shape it is given, and refuses one that does not fit", async () => {
  const folder = await temporaryFolder();
  const path = join(folder, "open.onnx");
  const weight = constantValue("weight", float32([2, 1, 3, 3], new Float32Array(18).fill(1)));
  await writeFile(
    path,
    modelBytes([["x", ["N", 1, "H", "W"]]], (emitter, [x]) => emitter.emit("Conv", [x!, weight], { output: "y" })),
  );
  const macs = async (...flags: string[]) => {
    const { stdout } = await runMain(["inspect", path, "--json", ...flags]);
    return (JSON.parse(stdout) as ModelSummary).macs;
  };
  expect(await macs()).toBeNull();
  expect(await macs("--shape", "x=1,1,10,12")).toBe(2 * 9 * 8 * 10);
  expect((await runMain(["inspect", path, "--shape", "x=1,3,10,12"])).code).not.toBe(0);
  expect((await runMain(["inspect", path, "--shape", "x"])).code).toBe(2);
});

test("inspect shows no matrix of an exported Hadamard head: the file is smaller by its bytes", async () => {
  const folder = await temporaryFolder();
  const [features, classes] = [1024, 10];
  const matrixBytes = 4 * features * classes;
  const inspected = async (name: string, head: Layer): Promise<ModelSummary> => {
    const path = join(folder, `${name}.onnx`);
    const declared: Record<string, Tensor> = { "head.weight": zeros("float32", [classes, features]) };
    declared["head.bias"] = zeros("float32", [classes]);
    declared["head.logits.bias"] = zeros("float32", [classes]);
    declared["head.logits.scale"] = float32([], [1]);
    const { bytes } = exportOnnx({
      inputs: { x: { shape: ["batch", features] } },
      outputs: ({ x }, scope) => head(x!, scope.child("head")),
      variables: declared,
    });
    await writeFile(path, bytes);
    return JSON.parse((await runMain(["inspect", path, "--json"])).stdout) as ModelSummary;
  };
  const learned = await inspected("learned", nn.linear(classes));
  expect(learned.weightBytes.float32).toBe(matrixBytes + 4 * classes);
  for (const form of ["generated", "fast"] as const) {
    const fixed = await inspected(form, nn.fixedHead({ form })(classes));
    // At most a block of 16 x 16, scale, bias, and constants of the formula in its place.
    expect(fixed.parameters).toBeLessThan(300);
    expect(fixed.weightBytes.float32).toBe(4 * fixed.parameters);
    const saved = learned.sizeBytes - fixed.sizeBytes;
    expect(Math.abs(saved - matrixBytes)).toBeLessThan(3000);
  }
});
