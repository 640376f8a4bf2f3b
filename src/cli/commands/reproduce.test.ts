import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../../test/support/engines.ts";
import { experiments } from "../../experiments/index.ts";
import type { ExperimentProgress } from "../../experiments/run-experiment.ts";
import { showExperiment } from "../experiment-progress.ts";
import { outputBuffer, runMain } from "../run-main.cases.ts";

/** A smoke run is planned to take less than this. */
const SMOKE_MS = 30_000;

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "modicum-reproduce-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("modicum reproduce", () => {
  it("lists the experiments with what they take", async () => {
    const { code, stdout } = await runMain(["reproduce"]);
    expect(code).toBe(0);
    for (const id of Object.keys(experiments)) expect(stdout).toMatch(new RegExp(`^${id} `, "m"));
    const { experiments: listed } = JSON.parse((await runMain(["reproduce", "--json"])).stdout);
    expect(listed.map(({ id }: { id: string }) => id)).toEqual(Object.keys(experiments));
    expect(listed[0].scales.small).toMatchObject({ minutes: 20, data: expect.any(Array) });
  });

  it.each([
    [
      ["acqi"],
      'the experiment must be one of baselines, aciq, norm-matters, fixed-classifier, train-longer, eight-bit-training, got "acqi". Did you mean "aciq"?',
    ],
    [["aciq", "--scale", "huge"], "Allowed choices are smoke, small, full."],
    [["aciq", "--seeds", "0"], "It must be a whole number from 1 to 1000."],
    [
      ["aciq", "--work", "nowhere"],
      "aciq needs the data set cifar10, got none at data/cifar10. Give --data cifar10:PATH",
    ],
    [["aciq", "--data", "mnist:x"], 'aciq must be given no other data than cifar10, got "mnist". Leave it out.'],
    [["aciq", "--data", "cifar10:/nowhere"], "/nowhere"],
  ])("refuses %j before it begins", async (args, message) => {
    const { code, stderr } = await runMain(["reproduce", ...args, "--output", join(folder, "none")]);
    expect(code).toBeGreaterThan(0);
    expect(stderr).toContain(message);
    await expect(readdir(join(folder, "none"))).rejects.toThrow("ENOENT");
  });
});

describe.each(Object.values(experiments))("the experiment $id", ({ id, title, claim, source, published, scales }) => {
  it("says what it is about", () => {
    for (const text of [title, claim, source.title, source.where, published.note]) expect(text).not.toBe("");
    expect(source.url).toMatch(/^https:/);
    expect(Object.keys(published.numbers).length).toBeGreaterThan(0);
  });

  it("is planned to fit in the time of its scales, with seconds for every unit", () => {
    const { units } = experiments[id]!;
    for (const { design, seeds, minutes } of Object.values(scales)) {
      const all = Array.from({ length: seeds }, (_, i) => units(design, i + 1)).flat();
      const seconds = all.reduce((sum, unit) => sum + unit.seconds, 0);
      expect(seconds).toBeGreaterThan(0);
      expect(seconds).toBeLessThan(60 * minutes);
    }
    expect(60 * scales.smoke.minutes * 1000).toBeLessThanOrEqual(SMOKE_MS);
    expect(scales.small.minutes).toBeLessThanOrEqual(20);
  });
});

describeUnless(reasonWithoutOnnxRuntimeNode(), "a smoke run", () => {
  it.each(Object.keys(experiments))(
    "of %s gives a verdict, tables and plots; the second time from what is kept",
    async (id) => {
      const output = join(folder, `${id}-results`);
      const args = ["reproduce", id, "--scale", "smoke", "--work", join(folder, "work"), "--output", output, "--json"];
      const { code, stdout, stderr } = await runMain(args);
      expect(code, stderr).toBe(0);
      const report = JSON.parse(stdout);
      expect(["reproduced", "partly reproduced", "not reproduced"]).toContain(report.verdict);
      expect(report.claims.length).toBeGreaterThan(1);
      for (const { measured } of report.claims) expect(measured.mean).toBeTypeOf("number");
      expect(report.seconds).toBeGreaterThan(0);
      expect(stderr).toMatch(/^1\/\d+ seed 1 /m);
      const markdown = await readFile(join(output, `${id}.md`), "utf8");
      expect(markdown).toContain("says nothing about the claim");
      expect(markdown).not.toMatch(/NaN|undefined|\[object/);
      const again = JSON.parse((await runMain(args)).stdout);
      expect(again.units).toEqual(report.units);
    },
    // Other work on the machine must not fail the test.
    8 * SMOKE_MS,
  );
});

describe("the progress of an experiment", () => {
  const at = (number: number, more: Partial<ExperimentProgress> = {}): ExperimentProgress => ({
    seed: 2,
    unit: "lenet",
    number,
    count: 3,
    fraction: 0,
    text: "",
    secondsLeft: 40,
    ...more,
  });

  it("is a line for each unit in a log, and one now and then within a unit", () => {
    const stream = outputBuffer();
    let now = 0;
    const display = showExperiment(stream, { clockMs: () => now });
    for (const [ms, progress] of [
      [0, at(1)],
      [100, at(1, { text: "epoch 1" })],
      [20_000, at(1, { text: "epoch 2", secondsLeft: 600 })],
      [20_001, at(2)],
    ] as const) {
      now = ms;
      display.update(progress);
    }
    display.stop();
    expect(stream.text().split("\n")).toEqual([
      "1/3 seed 2 lenet, about 40 s left",
      "1/3 seed 2 lenet: epoch 2, about 10 min left",
      "2/3 seed 2 lenet, about 40 s left",
      "",
    ]);
  });

  it("is one line in a terminal, gone at the end; nothing when not wanted", () => {
    const terminal = { ...outputBuffer(), isTTY: true };
    const display = showExperiment(terminal);
    display.update(at(1));
    display.stop();
    expect(terminal.text()).toBe("\r\u001b[K1/3 seed 2 lenet, about 40 s left\r\u001b[K");
    const quiet = outputBuffer();
    showExperiment(quiet, { quiet: true }).update(at(1));
    expect(quiet.text()).toBe("");
  });
});
