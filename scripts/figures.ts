/**
 * Draws the pictures of docs/quantization.md into docs/images: `npx tsx scripts/figures.ts`.
 *
 * aciq-clip.svg is drawn from the library's own formulas and measurements; report.png and report-layers.png are photographs
 * of the report that `npm run quickstart` wrote, taken with Chromium.
 */
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import sharp from "sharp";
import {
  type Grid,
  gridFor,
  type Histogram,
  histogramOf,
  laplaceAlpha,
  laplaceMse,
  measuredMse,
} from "../src/quantize/index.ts";
import { formatFixed, histogramPlot, htmlToString, openDrawing } from "../src/report/index.ts";
import { seededRandom } from "../src/tensor/index.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const IMAGES = join(ROOT, "docs", "images");
const REPORT = join(ROOT, "output", "quickstart", "report.html");
const CHROMIUM = "/usr/bin/chromium";

const BITS = 4;
const SAMPLES = 1_000_000;

/** Samples of Laplace(0, 1): the difference of two exponentially distributed numbers. */
function laplaceSamples(): Float32Array {
  const random = seededRandom(0);
  const exponential = (): number => -Math.log(1 - random.uniform());
  return Float32Array.from({ length: SAMPLES }, () => exponential() - exponential());
}

/** Clip part, rounding part and sum against the clip, with errors measured on the samples as dots. */
async function errorCurves(histogram: Histogram): Promise<string> {
  const { Plot, draw } = await openDrawing();
  const best = laplaceAlpha(BITS, "two-sided", "levels");
  const largest = Math.max(-histogram.low, histogram.high);
  const curves = Array.from({ length: 141 }, (_, i) => {
    const alpha = 1 + i / 10;
    const { clip, rounding } = laplaceMse(alpha, 1, BITS, "two-sided", "levels");
    return { alpha, clip, rounding, sum: clip + rounding };
  });
  const gridOf = (alpha: number): Grid => gridFor({ low: -alpha, high: alpha }, BITS);
  const dots = [2, 3, 4, best, 6, 7, 8, 10, 12, largest].map((alpha) => ({
    alpha,
    error: measuredMse(histogram, gridOf(alpha)),
  }));
  const floor = 0.003;
  const line = (y: "clip" | "rounding" | "sum", stroke: string, strokeWidth: number) =>
    Plot.line(
      curves.filter((point) => point[y] >= floor && point[y] <= 1),
      { x: "alpha", y, stroke, strokeWidth },
    );
  const label = (x: number, y: number, text: string, fill: string) =>
    Plot.text([{ x, y, text }], { x: "x", y: "y", text: "text", fill, fontWeight: 600, textAnchor: "start" });
  const svg = draw({
    ariaLabel: `Squared error of ${BITS}-bit quantization against the clip: least at alpha = ${formatFixed(best, 2)} b`,
    width: 400,
    height: 240,
    marginLeft: 50,
    marginRight: 16,
    marginTop: 24,
    marginBottom: 40,
    x: {
      domain: [1, 15],
      ticks: [2, 4, 6, 8, 10, 12, 14],
      tickSize: 0,
      label: "clip alpha, in units of b",
      labelAnchor: "center",
      labelArrow: "none",
    },
    y: {
      type: "log",
      domain: [floor, 1],
      ticks: [0.01, 0.1, 1],
      tickFormat: (error: number) => `${error}`,
      tickSize: 0,
      grid: true,
      label: null,
    },
    marks: [
      line("clip", "var(--series-2)", 1.5),
      line("rounding", "var(--series-3)", 1.5),
      line("sum", "var(--series-1)", 2.5),
      Plot.ruleX([best], { stroke: "currentColor", strokeDasharray: "4,3" }),
      Plot.dot(dots, {
        x: "alpha",
        y: "error",
        r: 3.5,
        fill: "var(--raised)",
        stroke: "var(--series-1)",
        strokeWidth: 2,
      }),
      label(6.3, 0.005, "clipped values", "var(--series-2)"),
      label(7.4, 0.038, "rounding", "var(--series-3)"),
      label(5.4, 0.25, "sum (dots: measured)", "var(--series-1)"),
      Plot.text([best], {
        x: (x: number) => x,
        frameAnchor: "top",
        dy: -15,
        text: (x: number) => `alpha* = ${formatFixed(x, 2)} b`,
      }),
      Plot.text([largest], {
        x: (x: number) => x,
        y: () => measuredMse(histogram, gridOf(largest)),
        dy: 14,
        textAnchor: "end",
        text: () => "min-max",
      }),
    ],
  });
  return htmlToString(svg);
}

/** Colours of the report's light page; the picture brings its own ground, so that it can be read on a dark one. */
const COLOURS =
  "--text:#1d1f23;--raised:#ffffff;--series-0:#8b8d94;--series-1:#0072b2;--series-2:#c75200;--series-3:#00805c";
const FONT = "11.5px system-ui,-apple-system,Segoe UI,Liberation Sans,DejaVu Sans,sans-serif";

/** Puts two plots side by side into one picture that stands alone. */
function sideBySide(parts: readonly { readonly title: string; readonly svg: string }[]): string {
  const drawn = parts.map(({ title, svg }, i) => {
    const x = 14 + i * 424;
    return `<text x="${x + 8}" y="30" font-weight="600" font-size="13">${title}</text>${svg.replace("<svg ", `<svg x="${x}" y="38" overflow="visible" `)}`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 860 290" width="860" height="290" role="img" style="${COLOURS};color:#1d1f23;font:${FONT}" fill="#1d1f23"><rect width="860" height="290" rx="8" fill="#ffffff"/>${drawn.join("")}</svg>\n`;
}

/** Photographs the head of the report, and what it says about layers. */
async function photographReport(): Promise<void> {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
  try {
    const page = await browser.newPage({ viewport: { width: 1440, height: 1000 }, colorScheme: "light" });
    await page.goto(pathToFileURL(REPORT).href);
    const table = await page.locator("#comparison table").first().boundingBox();
    const head = { x: 0, y: 24, width: 1440, height: table!.y + table!.height + 8 - 24 };
    await savePicture("report.png", await page.screenshot({ clip: head }));
    const top = await page.locator("#advice").boundingBox();
    const clip = { x: top!.x - 24, y: top!.y, width: top!.width + 48, height: 1060 };
    await savePicture("report-layers.png", await page.screenshot({ fullPage: true, clip }));
  } finally {
    await browser.close();
  }
}

async function savePicture(name: string, picture: Buffer): Promise<void> {
  const path = join(IMAGES, name);
  await sharp(picture).png({ palette: true, colours: 128, effort: 10 }).toFile(path);
  console.log(`wrote ${path}`);
}

await mkdir(IMAGES, { recursive: true });
const values = laplaceSamples();
const alpha = laplaceAlpha(BITS, "two-sided", "levels");
const bars = await histogramPlot({
  name: "Laplace-distributed values",
  histogram: histogramOf(values, { bins: 96 }),
  clipLow: -alpha,
  clipHigh: alpha,
});
const clip = join(IMAGES, "aciq-clip.svg");
await writeFile(
  clip,
  sideBySide([
    { title: "A million values from Laplace(0, b = 1), share per bin", svg: htmlToString(bars) },
    { title: "Squared error of 4 bits, in units of b²", svg: await errorCurves(histogramOf(values)) },
  ]),
);
console.log(`wrote ${clip}`);

if (existsSync(CHROMIUM) && existsSync(REPORT)) await photographReport();
else console.log("The pictures of the report stay as they are: they need Chromium and `npm run quickstart`.");
