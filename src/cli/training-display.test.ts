import { expect, test } from "vitest";
import type { RunEvent } from "../fit/index.ts";
import { outputBuffer } from "./run-main.cases.ts";
import { createTrainingDisplay, formatDuration, standardError } from "./training-display.ts";

const plan = {
  parts: [{ split: "test", batches: async function* () {} }],
  averaging: { decay: 0.9 },
  totalSteps: 40,
  stepsPerEpoch: 20,
  batchSize: 10,
} as const;

const place = (step: number, seconds: number) => ({ step, epoch: step / 20, seconds, time: 0 });
const steps = (step: number, seconds: number, loss: number): RunEvent => ({
  ...place(step, seconds),
  type: "steps",
  metrics: { loss, top1: 100 - 10 * loss },
  learningRate: 0.1,
  samplesPerSecond: 10,
});
const measured = (step: number, seconds: number, weights: "last" | "average", top1: number): RunEvent => ({
  ...place(step, seconds),
  ...{ type: "evaluation", split: "test", weights, loss: 1, top1, count: 400 },
});

test("a log gets a line now and then, and a row for each evaluation with means over its steps", async () => {
  const stream = outputBuffer();
  const display = await createTrainingDisplay(stream, plan);
  display.onEvent(steps(5, 1, 4));
  display.onEvent(steps(10, 12, 3));
  display.onEvent(steps(20, 13, 1));
  display.onEvent(measured(20, 14, "last", 50));
  display.onEvent(measured(20, 14, "average", 90));
  display.onEvent(steps(40, 20, 0.5));
  display.onEvent(measured(40, 21, "last", 60));
  display.onEvent(measured(40, 21, "average", 80));
  display.stop();
  expect(stream.text()).toBe(
    [
      "epoch 0.50/2: loss 3.0000, top-1 70.0 %, 10 samples/s, 0:30 left",
      "  epoch     loss  train top-1 %  test top-1 %  test top-1 averaged %  learning rate  seconds",
      "      1   2.2500          77.50  50.00 ± 2.50           90.00 ± 1.50           0.10     14.0",
      "      2   0.5000          95.00  60.00 ± 2.45           80.00 ± 2.00           0.10     21.0",
      "",
    ].join("\n"),
  );
});

test("a terminal gets a bar, and rows above it", async () => {
  const stream = { ...outputBuffer(), isTTY: true, columns: 120, cursorTo() {}, clearLine() {} };
  const display = await createTrainingDisplay(stream, plan);
  display.onEvent(steps(20, 13, 1));
  display.onEvent(measured(20, 14, "last", 50));
  display.onEvent(steps(30, 15, 1));
  display.stop();
  expect(stream.text()).toContain("      1   1.0000          90.00  50.00 ± 2.50");
});

test("nothing is shown when nothing is wanted", async () => {
  const stream = outputBuffer();
  const display = await createTrainingDisplay(stream, plan, { quiet: true });
  display.onEvent(measured(20, 14, "last", 50));
  display.stop();
  expect(stream.text()).toBe("");
});

test("durations and standard errors", () => {
  expect([59.6, 3600, 3725, Number.NaN].map(formatDuration)).toEqual(["1:00", "1:00:00", "1:02:05", "-"]);
  expect(standardError({ top1: 90, count: 900 })).toBeCloseTo(1, 10);
});
