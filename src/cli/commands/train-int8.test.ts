import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../../test/support/engines.ts";
import { EXAMPLE, temporaryFolder } from "../models.cases.ts";
import { runMain } from "../run-main.cases.ts";

let folder = "";
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => rm(folder, { recursive: true }));

const at = (name: string): string => join(folder, name);

async function train(...argv: readonly string[]) {
  const small = ["train", "mlp", "--data", "example", "--set", "model.width=0.125", "--batch", "50", "--epochs", "2"];
  const run = await runMain([...small, ...argv, "--json"]);
  expect(run.stderr).not.toContain("error:");
  expect(run.code).toBe(0);
  return { ...run, record: JSON.parse(run.stdout) as { readonly final: { readonly top1: number } } };
}

describeUnless(reasonWithoutOnnxRuntimeNode(), "modicum train --precision int8", () => {
  it("trains in 8 bits, says which products are, and exports an integer model that evaluates", async () => {
    const { record, stderr } = await train("--precision", "int8", "--output", at("int8"));
    expect(stderr).toContain("precision: 3 products in 8 bits\n");
    const model = at("int8.onnx");
    expect((await runMain(["export", at("int8"), "--weights", "last", "--output", model])).code).toBe(0);
    const evaluated = await runMain(["evaluate", model, "--data", EXAMPLE, "--json"]);
    expect(evaluated.stderr).not.toContain("error:");
    expect(evaluated.code).toBe(0);
    expect(record.final.top1).toBeGreaterThan(20);
    const kept = ["--set", 'precision.float=["first","last"]'];
    const partly = await train("--precision", "int8", ...kept, "--output", at("partly"));
    expect(partly.stderr).toMatch(/precision: 1 product in 8 bits; in float: hidden\.0\S*, \S+\n/);
  });
});
