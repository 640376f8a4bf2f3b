import { rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { ComparisonRecord } from "../comparison.ts";
import { EXAMPLE, EXAMPLE_MODEL, temporaryFolder } from "../models.cases.ts";
import { runMain } from "../run-main.cases.ts";

test("compare --json tells agreement, distance, ratios and the worst samples", async () => {
  const folder = await temporaryFolder();
  const small = join(folder, "small.onnx");
  await runMain(["quantize", EXAMPLE_MODEL, "-w", "4", "--calibrate", EXAMPLE, "-o", small, "--quiet"]);
  const flags = ["--data", EXAMPLE, "--worst", "3", "--timing", "0.1", "--quiet"];
  const { code, stdout } = await runMain(["compare", EXAMPLE_MODEL, small, ...flags, "--json"]);
  expect(code).toBe(0);
  const record = JSON.parse(stdout) as ComparisonRecord;
  expect(record.models.map(({ path }) => path)).toEqual([EXAMPLE_MODEL, small]);
  expect(record.agreement).toBe(record.models[1]!.agreement);
  expect(record.disagreements).toHaveLength(Math.round((500 * (100 - record.agreement!)) / 100));
  expect(record.accuracyDifference).toBeCloseTo(record.models[1]!.top1! - record.models[0]!.top1!, 10);
  expect(record.sizeRatio).toBeLessThan(0.22);
  expect(record.latencyRatio!.median).toBeGreaterThan(0);
  expect(record.outputSqnrDb).toBeGreaterThan(10);
  expect(record.worstSamples).toHaveLength(3);
  expect(record.worstSamples[0]).toEqual({
    index: expect.any(Number),
    sample: expect.stringMatching(/^picture \d+$/),
    sqnrDb: expect.any(Number),
    label: expect.any(Number),
    classes: [expect.any(Number), expect.any(Number)],
  });
  expect(record.worstSamples[0]!.sqnrDb).toBeLessThanOrEqual(record.worstSamples[1]!.sqnrDb);
  const text = await runMain(["compare", EXAMPLE_MODEL, EXAMPLE_MODEL, ...flags]);
  expect(text.stdout).toContain("nothing differs");
  await rm(folder, { recursive: true });
});
