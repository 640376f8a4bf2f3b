import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { EXAMPLE, EXAMPLE_MODEL, temporaryFolder } from "../models.cases.ts";
import { runMain } from "../run-main.cases.ts";

test("evaluate --json gives accuracy in percent and latency for each model", async () => {
  const { code, stdout } = await runMain([
    "evaluate",
    EXAMPLE_MODEL,
    EXAMPLE_MODEL,
    "--data",
    EXAMPLE,
    "--json",
    "--quiet",
  ]);
  expect(code).toBe(0);
  const record = JSON.parse(stdout) as { models: Record<string, unknown>[] };
  expect(Object.keys(record)).toEqual(["models"]);
  expect(record.models).toHaveLength(2);
  // 460 of the 500 pictures, as PyTorch counted when the model was trained.
  for (const model of record.models) {
    expect(model).toMatchObject({
      path: EXAMPLE_MODEL,
      sizeBytes: 402389,
      count: 500,
      top1: 92,
      top5: 99.8,
      latencyMs: { median: expect.any(Number), p95: expect.any(Number) },
      throughput: expect.any(Number),
    });
  }
  expect(record.models[1]).toMatchObject({ agreement: 100 });
});

test("evaluate on a part of the data, in WASM, writes a page when asked to", async () => {
  const folder = await temporaryFolder();
  const report = join(folder, "evaluation.html");
  const flags = [
    "--data",
    EXAMPLE,
    "--limit",
    "40",
    "--timing",
    "0.1",
    "--device",
    "wasm",
    "--report",
    report,
    "--quiet",
  ];
  const { code, stdout } = await runMain(["evaluate", EXAMPLE_MODEL, ...flags]);
  expect(code).toBe(0);
  expect(stdout).toContain("top-1 %");
  expect(stdout).toContain("onnxruntime-web");
  expect(await readFile(report, "utf8")).toContain("onnxruntime-web");
  const again = await runMain(["evaluate", EXAMPLE_MODEL, ...flags]);
  expect(again).toMatchObject({ code: 1, stdout: "" });
  await rm(folder, { recursive: true });
});

test("flags win over the file of --preprocessing, which wins over the one beside the model", async () => {
  const top1 = async (...flags: string[]) => {
    const argv = [
      "evaluate",
      EXAMPLE_MODEL,
      "--data",
      EXAMPLE,
      "--limit",
      "100",
      "--timing",
      "0",
      "--json",
      "--quiet",
      ...flags,
    ];
    return (JSON.parse((await runMain(argv)).stdout) as { models: { top1: number }[] }).models[0]!.top1;
  };
  const right = await top1();
  const spoilt = await top1("--std", "0.01");
  expect(spoilt).toBeLessThan(right - 20);
  expect(await top1("--preprocessing", join(EXAMPLE, "preprocessing.json"), "--std", "0.353")).toBe(right);
});
