import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BROWSER_TIMEOUT_MS } from "../../../test/support/browser.ts";
import { CHROMIUM, describeUnless, reasonWithoutBrowser } from "../../../test/support/engines.ts";
import { type RunEvent, recipeSchema } from "../../fit/index.ts";
import { htmlToString } from "../html.ts";
import { curvePlot } from "../plots/curve-plot.ts";
import { recipeRows } from "./recipe-table.ts";
import type { ReportedRun } from "./reported-run.ts";
import { summarizeRun } from "./reported-run.ts";
import { curveCharts } from "./run-curves.ts";
import { runsPageHtml } from "./runs-page.ts";
import { thinnedIndices } from "./thin-curve.ts";

const DETAILS = { modicumVersion: "0.1.0", date: "2026-01-01T00:00:00.000Z" };

/** A run whose loss falls from 10 by a factor, over 20 steps in two epochs. */
function madeRun(name: string, factor: number, learningRate = 0.1): ReportedRun {
  const recipe = recipeSchema.parse({ model: { name: "mlp" }, data: { set: "mnist:data" }, epochs: 2, learningRate });
  const events = Array.from({ length: 20 }, (_, i): RunEvent[] => {
    const at = { step: i + 1, epoch: (i + 1) / 10, seconds: 30 * (i + 1), time: 0 };
    const result = {
      loss: 2,
      top1: 50 + i + factor,
      count: 4,
      confusion: [
        [2, 1],
        [0, 1],
      ],
    };
    return [
      { ...at, type: "steps", metrics: { loss: 10 * factor ** i }, learningRate, samplesPerSecond: 100 },
      ...(i % 10 === 9 ? [{ ...at, type: "evaluation", split: "test", weights: "last", ...result } as const] : []),
    ];
  }).flat();
  const around = { modicum: "0.1.0", onnxruntime: "1", node: "v20", dataFingerprint: "0", dataDescription: "made" };
  const description = { recipe, ...around, classNames: ["a</script>", "b"], device: "cpu", created: DETAILS.date };
  return { name, description, events, isRunning: false };
}

const RUNS = [madeRun("one <b>", 0.8), madeRun("two", 0.9, 0.2)];

describe("the page of runs", () => {
  it("is one file that loads nothing, and text of runs stays text", async () => {
    const page = await runsPageHtml(RUNS, DETAILS);
    expect(page).toContain("one &lt;b&gt;");
    // Within the quotes of an attribute, "<" is a character like any other.
    expect(page.replace(/="[^"]*"/g, "")).not.toContain("one <b>");
    expect(page).toContain("default-src 'none'");
    expect(page.replace(/http:\/\/www\.w3\.org\/\d+\/\w+/g, "")).not.toMatch(/https?:|src=|url\(/);
    for (const title of ["Top-1, % · test", "Loss · while training", "Learning rate", "Confusion", "learningRate"]) {
      expect(page).toContain(title);
    }
    // Curves are there without the script: a line for each run.
    expect(page.match(/class="curves"/g)!.length).toBeGreaterThanOrEqual(2 * curveCharts(RUNS).length);
  });

  it("is complete for a run that has only begun, and for one alone", async () => {
    const begun = await runsPageHtml([{ ...RUNS[0]!, events: [] }], DETAILS);
    expect(begun).toContain("Nothing is on record yet of one &lt;b&gt;.");
    expect(begun).not.toContain('id="curves"');
    expect(begun).toContain("Every key, defaults included.");
  });

  it("names the keys in which recipes differ, and no others", () => {
    expect(recipeRows(RUNS)).toEqual([{ key: "learningRate", values: ["0.1", "0.2"] }]);
    const [first, second] = RUNS as [ReportedRun, ReportedRun];
    const averaged = { ...first.description.recipe, averaging: { decay: 0.9 } };
    const other = { ...first, description: { ...first.description, recipe: averaged } };
    expect(recipeRows([first, other])).toEqual([{ key: "averaging.decay", values: [null, "0.9"] }]);
    expect(recipeRows([first, first])).toEqual([]);
    expect(recipeRows([first, second], { all: true }).length).toBeGreaterThan(15);
  });

  it("takes the best evaluation on validation samples where there are some", () => {
    const position = { step: 1, epoch: 1, seconds: 1, time: 0 };
    const evaluated = (split: "validation" | "test", top1: number): RunEvent => {
      return { ...position, type: "evaluation", split, weights: "last", loss: 1, top1, count: 1 };
    };
    const events = [evaluated("test", 99), evaluated("validation", 70), evaluated("validation", 60)];
    expect(summarizeRun({ ...RUNS[0]!, events })).toMatchObject({ bestTop1: 70, state: "interrupted" });
  });
});

describe("a thinned curve", () => {
  const x = Array.from({ length: 5000 }, (_, i) => i);

  it("keeps its ends, its order and a spike of one point", () => {
    const y = x.map((i) => Math.sin(i / 300) + (i === 2345 ? 50 : 0));
    const kept = thinnedIndices(x, y, 100);
    expect(kept).toHaveLength(100);
    expect([kept[0], kept.at(-1)]).toEqual([0, 4999]);
    expect(kept).toContain(2345);
    expect(kept.every((index, i) => i === 0 || index > kept[i - 1]!)).toBe(true);
  });

  it("is the curve itself when that is short", () => {
    expect(thinnedIndices([1, 2], [3, 4], 100)).toEqual([0, 1]);
  });
});

describe("an axis", () => {
  it("writes ticks so that they differ, where values are far from 0 too", async () => {
    const labels = async (...domain: [number, number]): Promise<string[]> => {
      const scale = { type: "linear", domain } as const;
      const svg = htmlToString(await curvePlot({ description: "", x: { ...scale, label: "x" }, y: scale, curves: [] }));
      const [axis] = /aria-label="y-axis tick label".*?<\/g>/.exec(svg)!;
      return [...axis.matchAll(/y="0.32em">([^<]+)</g)].map((match) => match[1]!);
    };
    expect(await labels(24.08, 24.23)).toEqual(["24.08", "24.1", "24.12", "24.14", "24.16", "24.18", "24.2", "24.22"]);
    expect(await labels(0, 12_500)).toEqual(["0", "2000", "4000", "6000", "8000", "10k", "12k"]);
    expect(await labels(-0.00004, 0)).toEqual(["−4·10⁻⁵", "−3·10⁻⁵", "−2·10⁻⁵", "−10⁻⁵", "0"]);
  });
});

describeUnless(reasonWithoutBrowser(), "the page of runs in a browser", () => {
  let browser: Browser;
  let folder: string;
  let page: Page;
  const problems: string[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "modicum-runs-page-"));
    const file = join(folder, "page.html");
    writeFileSync(file, await runsPageHtml(RUNS, DETAILS));
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
    page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
    page.on("pageerror", (error) => problems.push(String(error)));
    page.on("console", (message) => problems.push(message.text()));
    page.on("request", (request) => {
      if (!request.url().startsWith("file:")) problems.push(`request of ${request.url()}`);
    });
    await page.goto(pathToFileURL(file).href);
  }, BROWSER_TIMEOUT_MS);
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const chart = (title: string) => page.locator("figure", { has: page.getByText(title, { exact: true }) });
  const visible = (title: string) => chart(title).locator(".axes:visible");
  const curves = (title: string) => visible(title).locator("g.curves:visible");

  it("runs without errors and requests", async () => {
    expect(await page.locator(".choices fieldset").first().isVisible()).toBe(true);
    expect(problems).toEqual([]);
  });

  it("draws the curves where the plotting library drew them", async () => {
    const drawn = await curves("Loss · while training").first().locator("path").getAttribute("d");
    const points = drawn!
      .slice(1)
      .split("L")
      .map((point) => point.split(",").map(Number));
    expect(points).toHaveLength(20);
    // Step 20 of 20 is at the right edge; the largest loss, 10, is at 10 / 10.4 of the height.
    expect(points[19]![0]).toBeCloseTo(440 - 14, 0);
    expect(points[0]![1]).toBeCloseTo(250 - 38 - (250 - 38 - 12) / 1.04, 0);
    const ticks = visible("Loss · while training").locator('g[aria-label="y-axis tick label"] text');
    expect(await ticks.allTextContents()).toEqual(["0", "2", "4", "6", "8", "10"]);
  });

  it("leaves runs out, and takes them in again", async () => {
    expect(await curves("Loss · while training").count()).toBe(2);
    const button = page.locator(".choices button").first();
    await button.click();
    expect(await button.getAttribute("aria-pressed")).toBe("false");
    expect(await curves("Loss · while training").count()).toBe(1);
    await button.click();
    expect(await curves("Loss · while training").count()).toBe(2);
  });

  it("changes axes; accuracy has none for logarithms", async () => {
    await page.locator('input[value="log"]').check({ force: true });
    await page.locator('input[value="time"]').check({ force: true });
    expect(await visible("Loss · while training").getAttribute("data-y")).toBe("log");
    expect(await visible("Top-1, % · test").getAttribute("data-y")).toBe("linear");
    expect(await visible("Learning rate").textContent()).toContain("minutes");
    // A geometric sequence is a straight line on a logarithmic axis.
    const drawn = await curves("Loss · while training").first().locator("path").getAttribute("d");
    const heights = drawn!
      .slice(1)
      .split("L")
      .map((point) => Number(point.split(",")[1]));
    const slopes = heights.slice(1).map((height, i) => height - heights[i]!);
    for (const slope of slopes) expect(Math.abs(slope - slopes[0]!)).toBeLessThan(0.25);
    await page.locator('input[value="linear"]').check({ force: true });
    await page.locator('input[value="step"]').check({ force: true });
  });

  it("reads values off under the pointer and by the keyboard", async () => {
    await visible("Loss · while training").scrollIntoViewIfNeeded();
    await visible("Loss · while training").focus();
    const readout = page.locator(".readout");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    expect(await readout.innerText()).toMatch(/^step 2\s+two\s+9\s+one <b>\s+8$/);
    await page.keyboard.press("Escape");
    expect(await readout.isVisible()).toBe(false);
    const box = (await visible("Loss · while training").locator("svg").boundingBox())!;
    await page.mouse.move(box.x + ((440 - 14) / 440) * box.width, box.y + box.height / 2);
    expect(await readout.innerText()).toMatch(/^step 20\s+two\s+1\.351\s+one <b>\s+0\.1441$/);
    await page.mouse.move(2, 2);
    expect(await readout.isVisible()).toBe(false);
  });
});
