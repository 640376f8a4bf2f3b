import { copyFile, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readModelFile } from "../../files/index.ts";
import { EXAMPLE, EXAMPLE_MODEL, temporaryFolder } from "../models.cases.ts";
import type { QuantizationRecord } from "../quantization-record.ts";
import { runMain } from "../run-main.cases.ts";

let folder = "";
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => rm(folder, { recursive: true }));

describe("quantize", () => {
  it("writes a model and a report, and describes them in one JSON object", async () => {
    const output = join(folder, "small.onnx");
    const report = join(folder, "small.html");
    const flags = ["--weights", "4", "--activations", "8", "--calibrate", EXAMPLE, "--calibration-samples", "32"];
    const argv = ["quantize", EXAMPLE_MODEL, ...flags, "--output", output, "--report", report, "--json"];
    const { code, stdout, stderr } = await runMain(argv);
    expect(code).toBe(0);
    const record = JSON.parse(stdout) as QuantizationRecord;
    const { size } = await stat(output);
    expect(record.input).toMatchObject({ path: EXAMPLE_MODEL, sizeBytes: 402389 });
    expect(record.output).toEqual({ path: output, sizeBytes: size });
    expect(record.seconds).toBeGreaterThan(0);
    expect(record.peakMemoryBytes).toBeGreaterThan(2 ** 20);
    expect(record.layers).toHaveLength(11);
    for (const layer of record.layers) {
      expect(Object.keys(layer)).toEqual(
        expect.arrayContaining(["name", "operator", "weightBits", "activationBits", "sqnrDb"]),
      );
      expect(layer.activation === null || !("histogram" in layer.activation)).toBe(true);
    }
    expect(record.layers[1]).toMatchObject({ name: "reduce.conv", operator: "Conv", weightBits: 4, activationBits: 8 });
    expect(record.calibration.samples).toBe(32);
    expect(record.calibration.source).toContain("train part");
    expect(record.evaluations).toEqual([]);
    expect(record.written).toEqual([output, report]);
    // 4-bit weights are an eighth of float32; scales, biases and the 8-bit layers take the rest.
    expect(size / 402389).toBeLessThan(0.22);
    expect(await readFile(report, "utf8")).toMatch(/^<!doctype html>/);
    expect((await readModelFile(output)).program.producerName).toBe("modicum");
    expect(stderr).toContain("calibrate: 32/32 samples");
    expect((await readdir(folder)).sort()).toEqual(["small.html", "small.onnx"]);
  });

  it("names the output after the bits, beside the model, and does not replace it unless told", async () => {
    const model = join(folder, "net.onnx");
    await copyFile(EXAMPLE_MODEL, model);
    const first = await runMain(["quantize", model, "--calibrate", EXAMPLE, "--calibration-samples", "8", "--quiet"]);
    expect(first).toMatchObject({ code: 0, stderr: "" });
    expect(first.stdout).toContain(`wrote        ${join(folder, "net-w8a8.onnx")}`);
    const second = await runMain(["quantize", model, "--calibrate", EXAMPLE, "--calibration-samples", "8", "--quiet"]);
    expect(second).toMatchObject({ code: 1, stdout: "" });
    expect(second.stderr).toContain("Use --force to replace it.");
    expect(
      (await runMain(["quantize", model, "--calibrate", EXAMPLE, "--calibration-samples", "8", "--quiet", "--force"]))
        .code,
    ).toBe(0);
    expect((await readdir(folder)).sort()).toEqual(["net-w8a8.onnx", "net.onnx"]);
  });

  it("measures both models on --data", async () => {
    const output = join(folder, "small.onnx");
    const flags = ["--calibrate", EXAMPLE, "--data", EXAMPLE, "--limit", "60", "--output", output, "--json", "--quiet"];
    const record = JSON.parse((await runMain(["quantize", EXAMPLE_MODEL, ...flags])).stdout) as QuantizationRecord;
    expect(record.evaluations.map(({ path, count }) => [path, count])).toEqual([
      [EXAMPLE_MODEL, 60],
      [output, 60],
    ]);
    // 8 bits change a decision or two of 60 at most.
    expect(record.evaluations[1]!.agreement).toBeGreaterThan(96);
  });

  it("writes a folder for transformers.js, and no model beside it", async () => {
    const target = join(folder, "hub");
    const argv = [
      "quantize",
      EXAMPLE_MODEL,
      "-w",
      "4",
      "--calibrate",
      EXAMPLE,
      "--folder",
      target,
      "--json",
      "--quiet",
    ];
    const { code, stdout } = await runMain(argv);
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as QuantizationRecord).output.path).toBe(join(target, "onnx", "model_q4.onnx"));
    expect((await readdir(target, { recursive: true })).sort()).toEqual([
      "README.md",
      "config.json",
      "onnx",
      "onnx/model.onnx",
      "onnx/model_q4.onnx",
      "preprocessor_config.json",
      "quantize_config.json",
    ]);
    expect(await readFile(join(target, "README.md"), "utf8")).toMatch(/^---\nlibrary_name: transformers.js\n/);
    const again = await runMain(argv);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain("--folder: the folder must be empty");
    const evaluation = await runMain([
      "evaluate",
      join(target, "onnx", "model_q4.onnx"),
      "--data",
      EXAMPLE,
      "--timing",
      "0",
      "--json",
    ]);
    const { models } = JSON.parse(evaluation.stdout) as { models: { top1: number }[] };
    // The folder's own preprocessor_config.json is found and understood.
    expect(models[0]!.top1).toBeGreaterThan(88);
  });
});
