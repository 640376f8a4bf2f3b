import { describe, expect, it } from "vitest";
import { createLines, createProgress } from "./progress.ts";
import { outputBuffer } from "./run-main.cases.ts";

describe("progress in a log", () => {
  it("writes a line every few seconds and one at the end, with rate, and nothing in between", () => {
    const stream = outputBuffer();
    let now = 0;
    const { update } = createLines(stream, () => now);
    for (let done = 0; done <= 64; done++) {
      update({ stage: "calibrate", done, total: 64, unit: "samples" });
      now += 100;
    }
    expect(stream.text()).toBe("calibrate: 50/64 samples, 5.0 s, 10/s\ncalibrate: 64/64 samples, 6.4 s, 10/s\n");
  });

  it("writes a line for each stage, also when the total is unknown, and only one when a stage is done", () => {
    const stream = outputBuffer();
    let now = 0;
    const { update } = createLines(stream, () => now);
    update({ stage: "prepare", done: 1, total: 1, unit: "models" });
    update({ stage: "calibrate", done: 0, total: undefined, unit: "batches" });
    now = 6000;
    update({ stage: "calibrate", done: 3, total: undefined, unit: "batches" });
    expect(stream.text()).toBe("prepare: 1/1 models, 0.0 s, -/s\ncalibrate: 3 batches, 6.0 s, 0.50/s\n");
  });

  it("is silent when asked to be", async () => {
    const stream = outputBuffer();
    const display = await createProgress(stream, { quiet: true });
    display.update({ stage: "calibrate", done: 1, total: 1, unit: "samples" });
    display.stop();
    expect(stream.text()).toBe("");
  });
});
