import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../../test/support/engines.ts";
import type { LayerRounding, RoundingOutcome } from "../measure-rounding.ts";
import { temporaryFolder } from "../models.cases.ts";
import { runMain } from "../run-main.cases.ts";

describeUnless(reasonWithoutOnnxRuntimeNode(), "modicum rounding", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await temporaryFolder();
    for (const precision of ["int8", "float32", "float64"]) {
      const small = ["--set", "model.width=0.0625", "--batch", "50", "--epochs", "0.2", "--precision", precision];
      const run = await runMain(["train", "mlp", "--data", "example", ...small, "--output", at(precision), "--quiet"]);
      expect(run.stderr).toBe("");
    }
  }, 60_000);
  afterAll(() => rm(folder, { recursive: true }));

  const at = (name: string): string => join(folder, name);

  async function measured(...argv: readonly string[]): Promise<RoundingOutcome> {
    const { stdout, stderr } = await runMain(["rounding", ...argv, "--json"]);
    expect(stderr).toBe("");
    return JSON.parse(stdout) as RoundingOutcome;
  }

  const find = ({ tensors }: RoundingOutcome, layer: string, tensor: string): LayerRounding =>
    tensors.find((one) => one.layer === layer && one.tensor === tensor)!;

  it("shows every tensor of every layer, those that are turned most first", async () => {
    const outcome = await measured(at("int8"));
    expect(outcome).toMatchObject({ run: at("int8"), precision: { kind: "int8" }, isTrained: true });
    expect(outcome.step).toBeGreaterThan(0);
    // Nothing below the first layer wants a gradient: weights take theirs from the codes of the layers' results' gradients.
    expect(new Set(outcome.tensors.map(({ tensor }) => tensor))).toEqual(new Set(["weight", "activation", "gradient"]));
    expect(new Set(outcome.tensors.map(({ layer }) => layer)).size).toBe(3);
    const angles = outcome.tensors.map(({ angle }) => angle);
    expect(angles).toEqual(angles.toSorted((a, b) => b - a));
    const pictures = find(outcome, "hidden.0.linear", "activation");
    for (const { angle, cosine, predictedAngle, saturated, ...one } of outcome.tensors) {
      expect(Math.cos((angle * Math.PI) / 180)).toBeCloseTo(cosine, 12);
      // Pictures have 256 values already, and keep them.
      if (one.layer !== pictures.layer || one.tensor !== pictures.tensor)
        expect(angle / predictedAngle).toBeGreaterThan(0.2);
      expect(angle / predictedAngle).toBeLessThan(5);
      // Ranges are those of the tensors.
      expect(saturated).toBe(0);
    }
    expect(pictures.angle / pictures.predictedAngle).toBeLessThan(0.2);
  });

  it("shows it as a table", async () => {
    const { stdout, code } = await runMain(["rounding", at("int8")]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^.*int8, step \d+: 3 products in 8 bits\.\n\n/);
    expect(stdout).toMatch(/layer +tensor +cosine +predicted +angle ° +x predicted +clipped % +became 0 %\n/);
    expect(stdout).toMatch(/head +weight +0\.9999\d\d +0\.9999\d\d +0\.\d{3} +\d\.\d\d +0\.000 +\d+\.\d\d\n/);
    expect(stdout.trimEnd().split("\n")).toHaveLength(2 + 2 + 9);
  });

  it("shows what another precision would do, and 8 bits to a run in float", async () => {
    const eight = await measured(at("int8"));
    const four = await measured(at("int8"), "--set", "precision.weights.bits=4");
    expect(four.isTrained).toBe(false);
    // Four bits less: grids are 127 / 7 times as coarse.
    const ratio = find(four, "head", "weight").angle / find(eight, "head", "weight").angle;
    expect(ratio).toBeGreaterThan(13);
    expect(ratio).toBeLessThan(24);
    const float = await measured(at("float32"));
    expect(float).toMatchObject({ precision: { kind: "int8" }, isTrained: false });
    expect(float.tensors).toHaveLength(9);
    expect((await runMain(["rounding", at("float32")])).stdout).toContain("The run was not trained so");
  });

  it("says what is wrong", async () => {
    const fault = async (...argv: readonly string[]): Promise<string> => (await runMain(["rounding", ...argv])).stderr;
    expect(await fault(at("float64"))).toContain("must be a run in float32 or int8, got float64.");
    expect(await fault(at("int8"), "--set", "seed=2")).toContain("--set must be of a key of precision, got seed.");
    expect(await fault(at("nowhere"))).toContain("error: ");
  });
});
