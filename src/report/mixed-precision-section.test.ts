import { parseHTML } from "linkedom";
import { describe, expect, test } from "vitest";
import type { MixedPrecisionReport } from "../quantize/index.ts";
import { limitsText, widthsText } from "./mixed-precision-section.ts";
import { mobileNetV2Report } from "./mobilenet-v2.cases.ts";
import { quantizationReportHtml } from "./quantization-report.ts";

const width = (bits: number, error: number) => ({ bits, error, sizeBytes: 100 * bits, latencyMs: null });
const mixedPrecision: MixedPrecisionReport = {
  limits: { sizeBytes: 500_000, latencyMs: null, maxDrop: 1 },
  errorMeasure: "relative squared error of class scores",
  samples: 16,
  dropMeasure: "top-1",
  layers: [
    { names: ["conv1"], bits: 8, widths: [width(2, 0.5), width(8, 1e-6), width(16, 0)] },
    { names: ["tied", "table"], bits: 2, widths: [width(2, 1e-5), width(8, 1e-9)] },
  ],
  trials: [
    { sizeBytes: 600_000, drop: 0.1, latencyMs: null, kept: false },
    { sizeBytes: 400_000, drop: 0.9, latencyMs: null, kept: true },
  ],
  seconds: 3,
};

describe("mixed precision in a report", () => {
  test("is summed up in words", () => {
    expect(limitsText(mixedPrecision)).toBe("at most 500 kB and 1 points of top-1");
    expect(widthsText(mixedPrecision)).toBe("2 layers of 2 bits, 1 of 8 bits");
  });

  test("has a row for each layer with the error of each width, and one for each model made", async () => {
    const page = await quantizationReportHtml(mobileNetV2Report({ mixedPrecision }));
    const section = (parseHTML(page).document as unknown as Document).querySelector("#mixed-precision")!;
    const [layers, trials] = [...section.querySelectorAll("table")];
    const texts = (row: Element) => [...row.children].map(({ textContent }) => textContent!.trim());
    expect([...layers!.querySelectorAll("tbody tr")].map(texts)).toEqual([
      ["conv1", "8", "800 B", "5.0e-1", "1.0e-6"],
      ["tied, table", "2", "200 B", "1.0e-5", "1.0e-9"],
    ]);
    expect([...trials!.querySelectorAll("tbody tr")].map(texts)).toEqual([
      ["600 kB", "0.10", "no"],
      ["400 kB", "0.90", "yes"],
    ]);
  });

  test("is left out where nothing was limited", async () => {
    expect(await quantizationReportHtml(mobileNetV2Report())).not.toContain('id="mixed-precision"');
  });
});
