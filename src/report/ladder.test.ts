import { parseHTML } from "linkedom";
import { describe, expect, test } from "vitest";
import type { RungReport } from "../quantize/index.ts";
import { ladderColumns } from "./ladder-columns.ts";
import { mobileNetV2Evaluations, mobileNetV2Report } from "./mobilenet-v2.cases.ts";
import { quantizationReportHtml } from "./quantization-report.ts";
import { textTable } from "./text-table.ts";

const rung = (name: string, outputSqnrDb: number, changes: Partial<RungReport> = {}): RungReport => {
  return { name, outputSqnrDb, seconds: 90, kept: true, notes: [], evaluation: null, ...changes };
};

const ladder = [
  rung("min-max", -1.2),
  rung("closed-form", 8.1),
  rung("distillation", 7.9, { kept: false, notes: ["out of time after 3 of 9 steps"] }),
];

describe("the ladder of a quantization", async () => {
  const page = await quantizationReportHtml(mobileNetV2Report({ ladder }), mobileNetV2Evaluations());
  const section = (parseHTML(page).document as unknown as Document).querySelector("#ladder")!;

  test("has a row and a bar for each rung, hollow where it was left out", () => {
    expect([...section.querySelectorAll("tbody th")].map(({ textContent }) => textContent)).toEqual(
      ladder.map(({ name }) => name),
    );
    const bars = [...section.querySelectorAll("svg rect")];
    expect(bars.map((bar) => bar.getAttribute("fill"))).toEqual([
      "var(--series-0)",
      "var(--series-1)",
      "var(--raised)",
    ]);
    expect(section.textContent).toContain("out of time after 3 of 9 steps");
  });

  test("folds away notes beyond two", async () => {
    const many = rung("learned-rounding", 9, { notes: ["block 1: a", "block 2: b", "block 3: c"] });
    const long = await quantizationReportHtml(mobileNetV2Report({ ladder: [many] }), []);
    const folded = (parseHTML(long).document as unknown as Document).querySelector("#ladder details")!;
    expect(folded.querySelectorAll("li").length).toBe(3);
    expect(textTable(ladderColumns([many]), [many])).toContain("block 1: a; block 2: b; and 1 more");
  });

  test("is left out without refinements", async () => {
    expect(await quantizationReportHtml(mobileNetV2Report(), [])).not.toContain('id="ladder"');
  });

  test("shows what was measured only where it was", () => {
    expect(ladderColumns(ladder).map(({ header }) => header)).not.toContain("Top-1 %");
    const [evaluation] = mobileNetV2Evaluations();
    const measured = ladder.map((one) => ({ ...one, evaluation: evaluation! }));
    expect(ladderColumns(measured).map(({ header }) => header)).toContain("Top-1 %");
    expect(textTable(ladderColumns(ladder), ladder)).toMatchInlineSnapshot(`
      "Rung          SQNR dB    Time  Kept  Note
      ────────────  ───────  ──────  ────  ──────────────────────────────
      min-max          −1.2  90.0 s  yes
      closed-form       8.1  90.0 s  yes
      distillation      7.9  90.0 s  no    out of time after 3 of 9 steps"
    `);
  });
});
