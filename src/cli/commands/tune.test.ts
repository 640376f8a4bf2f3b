import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import type { LoweringTable, TuneOptions } from "../../lower/index.ts";
import { temporaryFolder } from "../models.cases.ts";
import { runMain } from "../run-main.cases.ts";

const shape = { examples: 32, inputs: 16, outputs: 32, lengths: [8, 8], kernel: [3, 3], stride: 2, group: 1 };
const table: LoweringTable = {
  runtime: "test, cpu",
  timings: [{ operator: "modicum:ConvInputGradient", shape, ms: { convolve: 2, transpose: 1 } }],
};

// Measuring takes a minute; that it measures right is tested where it is.
vi.mock("../../lower/index.ts", () => ({
  tuneLowering: async (_runtime: unknown, { onTiming }: TuneOptions) => {
    onTiming?.(table.timings[0]!, 1, 1);
    return table;
  },
}));

test("tune prints what is fastest and writes the table to a file", async () => {
  const folder = await temporaryFolder();
  const out = join(folder, "lowering.json");
  const { code, stdout, stderr } = await runMain(["tune", "--out", out]);
  expect(code).toBe(0);
  expect(stdout).toContain("ConvInputGradient");
  expect(stdout).toContain("transpose 1, convolve 2");
  expect(stderr).toContain("tuning");
  expect(JSON.parse(await readFile(out, "utf8"))).toEqual(table);
  const again = await runMain(["tune", "--out", out, "--quiet"]);
  expect(again.code).toBe(1);
  expect(again.stderr).toContain("--force");
  expect((await runMain(["tune", "--out", out, "--force", "--quiet", "--json"])).stdout).toContain('"test, cpu"');
  await rm(folder, { recursive: true });
});
