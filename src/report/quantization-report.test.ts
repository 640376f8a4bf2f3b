import { parseHTML } from "linkedom";
import { describe, expect, test } from "vitest";
import type { LayerReport } from "../quantize/index.ts";
import { evaluationReportHtml } from "./evaluation-report.ts";
import type { AblationRow } from "./layer-columns.ts";
import { laplaceHistogram, mobileNetV2Evaluations, mobileNetV2Report } from "./mobilenet-v2.cases.ts";
import { quantizationReportHtml } from "./quantization-report.ts";

const parse = (page: string): Document => parseHTML(page).document as unknown as Document;

describe("a report on MobileNetV2", async () => {
  const page = await quantizationReportHtml(mobileNetV2Report(), mobileNetV2Evaluations());
  const document = parse(page);

  test("begins with the verdict", () => {
    const header = document.querySelector("header")!;
    expect(header.querySelector(".banner")!.textContent).toContain(
      "Some accuracy lost. 14.0\u00a0MB became 2.98\u00a0MB",
    );
    expect(header.querySelectorAll(".number").length).toBe(5);
  });

  test("loads nothing: no reference leaves the page, and its policy forbids it", () => {
    expect(page).not.toMatch(
      /(?:src|href|action|data)\s*=\s*["']?(?!#)[^"'\s>]|@import|url\(|https?:\/\/(?!www\.w3\.org)/i,
    );
    expect(document.querySelector("meta[http-equiv=Content-Security-Policy]")?.getAttribute("content")).toContain(
      "default-src 'none'",
    );
  });

  test("has every layer in a sortable table with a row header", () => {
    const table = [...document.querySelectorAll("#layers table")].at(-1)!;
    expect(table.querySelectorAll("tbody tr").length).toBe(53);
    expect(table.hasAttribute("data-sortable")).toBe(true);
    expect(table.querySelectorAll("tbody th[scope=row]").length).toBe(53);
    expect(table.querySelector("caption")?.textContent).toContain("53 layers");
  });

  test("draws every histogram, the worst six open, with names for screen readers", () => {
    const section = document.querySelector("#histograms")!;
    expect(section.querySelectorAll("svg").length).toBe(53);
    expect(section.querySelectorAll("details svg").length).toBe(47);
    for (const svg of document.querySelectorAll("svg")) {
      expect(svg.getAttribute("role")).toBe("img");
      expect(svg.getAttribute("aria-label")).toBeTruthy();
    }
  });

  test("colours follow light and dark: plots name no colour of their own", () => {
    for (const mark of document.querySelectorAll("svg [fill], svg [stroke]")) {
      for (const attribute of ["fill", "stroke"]) {
        const colour = mark.getAttribute(attribute);
        if (colour !== null) expect(colour).toMatch(/^(?:none|currentColor|var\(--[\w-]+\))$/);
      }
    }
  });

  test("tells how to get it again", () => {
    const footer = document.querySelector("footer")!.textContent!;
    for (const fact of ["0.1.0", "onnxruntime-node 1.30.0", "seed", "2026-11-23"]) expect(footer).toContain(fact);
  });

  test("has unique identifiers, and every link leads to one", () => {
    const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const link of document.querySelectorAll("a")) expect(ids).toContain(link.getAttribute("href")!.slice(1));
  });

  test("stays below a megabyte", () => {
    expect(page.length).toBeLessThan(1e6);
  });
});

test("names from a file cannot become markup, in text, attributes and plots", async () => {
  const attack = `"><script>alert(1)</script><img src=x onerror=alert(2)>'`;
  const report = mobileNetV2Report();
  const layers = report.layers.map((layer) => ({
    ...layer,
    name: attack,
    kind: attack,
    note: attack,
    activation: layer.activation && { ...layer.activation, name: attack, method: attack },
  }));
  const hostile = { ...report, layers, remarks: [attack], date: attack, output: { path: attack, sizeBytes: 1 } };
  const page = await quantizationReportHtml(hostile, [{ ...mobileNetV2Evaluations()[0]!, path: attack }], {
    weightBitsFlags: (names) => `--layer-bits ${names[0]}=8`,
  });
  const document = parse(page);
  expect(document.querySelectorAll("script").length).toBe(1);
  expect(document.querySelectorAll("img, [onerror]").length).toBe(0);
});

test("simulated results stand in a table of their own, under a warning", async () => {
  const row: AblationRow = {
    label: "min-max",
    deployable: true,
    weightBits: 8,
    activationBits: 8,
    sizeBytes: 1e6,
    top1: 80,
    top1StandardError: 1,
    agreement: 90,
    latencyMs: 3,
  };
  const ablation = [row, { ...row, label: "simulated row", deployable: false, sizeBytes: null, latencyMs: null }];
  const document = parse(
    await quantizationReportHtml(mobileNetV2Report({ deployable: false, target: "simulate", activations: 4 }), [], {
      ablation,
    }),
  );
  const tables = [...document.querySelectorAll("#ablation table")];
  expect(tables.map((table) => table.querySelectorAll("tbody tr").length)).toEqual([1, 1]);
  expect(tables[1]!.textContent).toContain("simulated row");
  expect(document.querySelector("header")!.textContent).toContain("Simulated. This model computes in float");
  expect(document.querySelector("#comparison svg")).toBeNull();
});

test("calibration without data is labelled in the header", async () => {
  const calibration = { source: "synthetic input (seeded noise)", samples: 32, batches: 1 };
  const page = await quantizationReportHtml(mobileNetV2Report({ calibration }));
  expect(parse(page).querySelector("header")!.textContent).toContain("Synthetic calibration.");
  const dataFree = { source: "data-free: batch-norm statistics for 52 tensors", samples: 0, batches: 0 };
  const other = await quantizationReportHtml(mobileNetV2Report({ calibration: dataFree }));
  expect(parse(other).querySelector("header")!.textContent).toContain("Data-free calibration.");
});

test("thousands of layers give a page of bounded size that says what it leaves out", async () => {
  const [layer] = mobileNetV2Report().layers as [LayerReport];
  const histogram = laplaceHistogram({ b: 1, bins: 2048, count: 5000 });
  const layers = Array.from({ length: 5000 }, (_, i) => ({
    ...layer,
    name: `block.${i}.conv`,
    activation: { ...layer.activation!, histogram },
  }));
  const page = await quantizationReportHtml(mobileNetV2Report({ layers }));
  expect(page.length).toBeLessThan(4e6);
  expect(page).toContain("2000 of 5000 rows are shown");
  expect(page).toContain("Plots show the first 400 of 5000 layers");
  expect(page).toContain("4904 activations with smaller errors are left out");
});

test("a report with nothing known is still a page", async () => {
  const [layer] = mobileNetV2Report().layers as [LayerReport];
  const bare = {
    ...layer,
    sqnrDb: null,
    weightSqnrDb: null,
    macs: null,
    activation: null,
    weightBits: 32,
    activationBits: 32,
  };
  const report = mobileNetV2Report({ layers: [bare], remarks: [], preparationDifference: null, peakMemoryBytes: null });
  const page = await quantizationReportHtml({
    ...report,
    input: { ...report.input, path: null },
    output: { path: null, sizeBytes: 5 },
  });
  const { textContent } = parse(page).querySelector(".wrap")!;
  expect(textContent).toContain("Accuracy was not measured.");
  expect(textContent).not.toMatch(/NaN|undefined|Infinity/);
});

test("infinite ratios and empty histograms are drawn without errors", async () => {
  const [layer] = mobileNetV2Report().layers as [LayerReport];
  const exact = {
    ...layer,
    sqnrDb: Number.POSITIVE_INFINITY,
    weightSqnrDb: Number.POSITIVE_INFINITY,
    activation: {
      ...layer.activation!,
      histogram: { low: 0, high: 0, counts: new Float64Array(8) },
      clipLow: 0,
      clipHigh: 0,
    },
  };
  const page = await quantizationReportHtml(mobileNetV2Report({ layers: [exact, layer], remarks: [] }));
  const drawn = [...parse(page).querySelectorAll("svg")].map((svg) => svg.outerHTML).filter((svg) => /NaN/.test(svg));
  expect(drawn).toEqual([]);
});

test("an evaluation of several models has one row each and no layer by layer", async () => {
  const details = { modicumVersion: "0.1.0", runtime: "wasm", dataset: "500 pictures", date: "2026-11-23", seed: 3 };
  const document = parse(await evaluationReportHtml(mobileNetV2Evaluations(), details));
  expect(document.querySelectorAll("tbody tr").length).toBe(2);
  expect(document.querySelectorAll("svg").length).toBe(2);
  expect(document.querySelector("#layers")).toBeNull();
});
