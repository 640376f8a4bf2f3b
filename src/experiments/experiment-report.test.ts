import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Runtime } from "../runtime/index.ts";
import { coin } from "./coin.cases.ts";
import type { Experiment } from "./experiment.ts";
import { type ExperimentReport, reportExperiment, reportJson } from "./experiment-report.ts";
import { reportMarkdown, reportText } from "./report-text.ts";
import { runExperiment } from "./run-experiment.ts";
import { assertReplaceable, writeReport } from "./write-report.ts";

const GOLDEN = fileURLToPath(new URL("../../test/golden/experiment-report.md", import.meta.url));
const experiment = coin as Experiment;
const runtime = { device: "cpu", description: "a runtime 1.0" } as Runtime;
let folder = "";
let report: ExperimentReport;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "modicum-reports-"));
  const run = await runExperiment(experiment, { scale: "small", data: {}, runtime, work: folder });
  const environment = { ...run.environment, node: "20.0.0", modicum: "0.0.0", data: { mnist: "0123456789abcdef" } };
  report = reportExperiment(experiment, { ...run, seconds: 12.3, hash: "0123456789ab", environment }, "2026-01-01");
});
afterAll(() => rm(folder, { recursive: true }));

describe("the report of an experiment", () => {
  it("as Markdown is what it was when somebody last read it", async () => {
    await expect(reportMarkdown(report, (id) => `coin-${id}.svg`)).toMatchFileSnapshot(GOLDEN);
  });

  it("says the verdict first in the terminal", () => {
    const text = reportText(report);
    expect(text.split("\n")[0]).toBe("coin, small: reproduced");
    expect(text).toMatch(/loaded +7\d\.\d\d ± \d\.\d\d +74/);
    expect(text).not.toContain("smoke run");
  });

  it("says of a smoke run that it says nothing", () => {
    const smoke = { ...report, run: { ...report.run, scale: "smoke" as const } };
    expect(reportText(smoke)).toContain("says nothing about the claim");
    expect(reportMarkdown(smoke, String)).toContain("says nothing about the claim");
  });

  it("turns to the other verdicts when the numbers do, and says why", () => {
    const units = report.run.units.map((unit) => ({
      ...unit,
      result: report.run.units.find(
        ({ seed, key }) => (seed === unit.seed) === (unit.key === "fair") && key === "fair",
      )!.result,
    }));
    const same = reportExperiment(experiment, { ...report.run, units }, "2026-01-01");
    expect(same.verdict).toBe("not reproduced");
    expect(same.reasons[1]).toBe("Not clear beyond the noise: loaded coins show more heads.");
  });

  it("writes Markdown, JSON, a page and a picture for each plot", async () => {
    const paths = await writeReport(join(folder, "out"), report);
    expect(paths.map((path) => path.split("/").at(-1))).toEqual([
      "coin-heads.svg",
      "coin.html",
      "coin.md",
      "coin.json",
    ]);
    const [svg, page, markdown, json] = await Promise.all(paths.map((path) => readFile(path, "utf8")));
    expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"[^>]*><style>/);
    expect(svg).not.toContain("NaN");
    expect(page).toContain("<b>reproduced</b>");
    expect(page).not.toMatch(/<(script|link|img)[^>]*(src|href)=/);
    expect(markdown).toContain("](coin-heads.svg)");
    expect(JSON.parse(json!)).toEqual(JSON.parse(JSON.stringify(reportJson(report))));
  });

  it("does not replace results of a larger scale, and nothing it does not know", async () => {
    const out = join(folder, "kept");
    await assertReplaceable(out, "coin", "smoke");
    await writeReport(out, report);
    await assertReplaceable(out, "coin", "small");
    await assertReplaceable(out, "coin", "full");
    await expect(assertReplaceable(out, "coin", "smoke")).rejects.toThrow('results of scale "small" are not replaced');
    await writeFile(join(out, "coin.json"), "mine");
    await expect(assertReplaceable(out, "coin", "full")).rejects.toThrow("must be a report of this experiment");
  });
});

describe("docs/reproduce.md", () => {
  it("shows the example as it is", async () => {
    const [page, example] = await Promise.all(
      ["../../docs/reproduce.md", "./coin.cases.ts"].map((path) => readFile(new URL(path, import.meta.url), "utf8")),
    );
    expect(page).toContain(`\`\`\`typescript\n${example}\`\`\``);
  });
});
