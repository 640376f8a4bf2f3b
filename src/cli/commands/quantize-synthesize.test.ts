import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeModel } from "../../onnx/index.ts";
import { numbers } from "../../quantize/small-models.cases.ts";
import { networkOf, stripes } from "../../refine/synthesis.cases.ts";
import { EXAMPLE, modelBytes, temporaryFolder } from "../models.cases.ts";
import type { QuantizationRecord } from "../quantization-record.ts";
import { runMain } from "../run-main.cases.ts";

let folder = "";
let model = "";
beforeEach(async () => {
  folder = await temporaryFolder();
  model = join(folder, "net.onnx");
  const { program } = await networkOf(stripes(16, 1));
  await writeFile(model, writeModel(program).bytes);
});
afterEach(() => rm(folder, { recursive: true }));

describe("quantize --synthesize", () => {
  it("calibrates on pictures it makes, says so, and shows them in the report", async () => {
    const report = join(folder, "net.html");
    const flags = ["--synthesize", "8", "--weights", "4", "--report", report, "--seed", "5"];
    const { code, stdout, stderr } = await runMain(["quantize", model, ...flags, "--json"]);
    expect(stderr).toContain("synthesize: 100/100 steps");
    expect(code).toBe(0);
    const { calibration } = JSON.parse(stdout) as QuantizationRecord;
    expect(calibration).toMatchObject({
      source: "8 pictures synthesized from batch-norm statistics (seed 5)",
      samples: 8,
    });
    const page = await readFile(report, "utf8");
    expect(page).toContain('<h2 id="pictures-title">Synthesized pictures</h2>');
    expect(page).toMatch(/<img src="data:image\/png;base64,iVBOR[^"]+" alt="8 pictures synthesized from batch-norm/);
  });

  it("makes 256 unless told how many, within a quarter of the budget", async () => {
    const { stdout } = await runMain(["quantize", model, "--optimize", "--budget", "0.001s", "--synthesize", "--json"]);
    expect((JSON.parse(stdout) as QuantizationRecord).calibration.samples).toBe(256);
  });

  it("is wrong usage together with pictures", async () => {
    const { code, stderr } = await runMain(["quantize", model, "--synthesize", "--calibrate", EXAMPLE]);
    expect(code).toBe(2);
    expect(stderr).toContain("cannot be used with option '--calibrate <path>'");
  });

  it("refuses a model whose batch normalizations are folded, before anything is written", async () => {
    const folded = join(folder, "folded.onnx");
    const kernel = numbers("w", [1, 3, 1, 1], [1, 2, 3]);
    await writeFile(
      folded,
      modelBytes([["x", ["N", 3, 4, 4]]], (e, [x]) => e.emit("Conv", [x!, kernel])),
    );
    const { code, stderr } = await runMain(["quantize", folded, "--synthesize", "--output", join(folder, "o.onnx")]);
    expect(code).toBe(1);
    expect(stderr).toContain("must have batch normalizations with running statistics, got none");
  });
});
