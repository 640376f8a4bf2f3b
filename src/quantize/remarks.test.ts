import { describe, expect, it } from "vitest";
import { quantizationRemarks, type RemarkFacts } from "./remarks.ts";
import type { LayerReport } from "./report-data.ts";
import { resolveSettings } from "./settings.ts";
import { runtime } from "./small-models.cases.ts";

const FACTS: RemarkFacts = { hasData: true, foreign: [], quantizedActivations: 3 };

function layer(name: string, facts: Partial<LayerReport> = {}): LayerReport {
  return { name, weightSqnrDb: 40, sqnrDb: 30, ...facts } as LayerReport;
}

function remarksOf(
  layers: readonly LayerReport[],
  facts: Partial<RemarkFacts> = {},
  options: Partial<Parameters<typeof resolveSettings>[0]> = {},
): string[] {
  return quantizationRemarks(layers, resolveSettings({ runtime, ...options }), { ...FACTS, ...facts });
}

describe("quantizationRemarks", () => {
  it("has nothing to say when all is well", () => {
    expect(remarksOf([layer("a"), layer("b", { sqnrDb: null })])).toEqual([]);
  });

  it("says what a simulation is", () => {
    expect(remarksOf([layer("a")], {}, { simulate: true })).toEqual([expect.stringMatching(/^This is a simulation/)]);
  });

  it("asks for data when ranges are estimates, but not when no ranges are needed", () => {
    const asks = [expect.stringMatching(/^No calibration data were given: .*\(--calibrate\)/)];
    expect(remarksOf([layer("a")], { hasData: false })).toEqual(asks);
    expect(remarksOf([layer("a")], { hasData: false }, { activations: 16 })).toEqual([]);
  });

  it("names what stays in float, five at most", () => {
    const left = ["a", "b", "c", "d", "e", "f", "g"].map((name) => layer(name, { weightSqnrDb: null }));
    expect(remarksOf([...left, layer("h")])).toEqual(["7 of 8 layers stay in float: a, b, c, d, e and 2 more."]);
    expect(remarksOf(left.slice(0, 1))).toEqual(["1 of 1 layers stay in float: a."]);
    expect(remarksOf(left, {}, { simulate: true, weights: 16, activations: 4 }).join()).not.toContain("stay in float");
  });

  it("names the layers that are worst, the worst first", () => {
    const layers = [
      layer("fine"),
      layer("bad", { sqnrDb: 12 }),
      layer("worst", { sqnrDb: 3 }),
      layer("ok", { sqnrDb: 15 }),
    ];
    expect(remarksOf(layers)).toEqual(["2 of 4 layers are below 15 dB, worst first: worst, bad."]);
  });

  it("says when activations were asked for and none could be quantized", () => {
    expect(remarksOf([layer("a")], { quantizedActivations: 0 })).toEqual([
      expect.stringMatching(/^Only weights are quantized: no layer has/),
    ]);
    expect(remarksOf([layer("a")], { quantizedActivations: 0 }, { activations: 16 })).toEqual([]);
  });

  it("names operators that keep the model from being run", () => {
    expect(remarksOf([layer("a")], { foreign: ["lab.Mystery"] })[0]).toMatch(
      /^Only weights are quantized, unmeasured: .*\(lab\.Mystery\)/,
    );
  });
});
