import { describe, expect, it } from "vitest";
import { type Claim, judge, reasonsOf, verdictOf } from "./claims.ts";
import { accuracy, estimate, estimateOverSeedsAndSamples, pairedDifference } from "./estimate.ts";

function claim(mean: number, standardError: number | null, rest: Partial<Claim> = {}): Claim {
  return {
    statement: "a beats b",
    measured: { mean, standardError },
    above: 0,
    evidence: "clear",
    decisive: true,
    ...rest,
  };
}

describe("judge", () => {
  it.each([
    ["clearly above", claim(5, 2), "holds", 2.5],
    ["above within the noise", claim(3, 2), "undecided", 1.5],
    ["nothing", claim(0, 2), "undecided", 0],
    ["below within the noise", claim(-3, 2), "undecided", -1.5],
    ["clearly below", claim(-5, 2), "fails", -2.5],
    ["a gap that is there but too small", claim(12, 2, { above: 40 }), "fails", -14],
    ["equal within the noise", claim(-3, 2, { evidence: "consistent" }), "holds", -1.5],
    ["contradicted equality", claim(-5, 2, { evidence: "consistent" }), "fails", -2.5],
    ["inside both bounds", claim(1.9, 0.1, { above: 1.6, below: 2.4 }), "holds", 3],
    ["beyond the upper bound", claim(2.9, 0.1, { above: 1.6, below: 2.4 }), "fails", -5],
    ["without noise, above", claim(0.99, null, { above: 0.98 }), "holds", null],
    ["without noise, on the bound", claim(0.98, null, { above: 0.98 }), "fails", null],
    ["without noise, on the bound, allowed", claim(0, 0, { evidence: "consistent" }), "holds", null],
    ["a run that diverged", claim(Number.NaN, 1), "fails", Number.NaN],
    ["a diverged run as an equality", claim(Number.NaN, 1, { evidence: "consistent" }), "fails", Number.NaN],
  ] as const)("%s", (_what, asserted, outcome, standardErrors) => {
    const judged = judge(asserted);
    expect(judged.outcome).toBe(outcome);
    expect(judged.holds).toBe(outcome === "holds");
    if (standardErrors === null) expect(judged.standardErrors).toBeNull();
    else expect(judged.standardErrors! - standardErrors || 0).toBeCloseTo(0, 9);
  });
});

describe("the verdict", () => {
  const held = judge(claim(5, 1));
  const equal = judge(claim(0, 1, { evidence: "consistent" }));
  const failed = judge(claim(-5, 1));
  const unclear = judge(claim(1, 1));

  it("needs every decisive claim, and ignores the others", () => {
    expect(verdictOf([held, equal])).toBe("reproduced");
    expect(verdictOf([held, { ...failed, decisive: false }])).toBe("reproduced");
    expect(verdictOf([held, unclear])).toBe("partly reproduced");
    expect(verdictOf([held, failed])).toBe("partly reproduced");
    expect(verdictOf([failed, unclear])).toBe("not reproduced");
  });

  it("takes nothing from equalities alone: noise gives those", () => {
    expect(verdictOf([failed, equal, equal, equal])).toBe("not reproduced");
    expect(() => verdictOf([equal])).toThrow("internal: an experiment must have a decisive claim");
    expect(() => verdictOf([{ ...held, decisive: false }])).toThrow("internal");
  });

  it("gives its reasons", () => {
    expect(reasonsOf([held, failed, unclear, { ...failed, decisive: false }])).toEqual([
      "1 of 3 decisive assertions hold.",
      "Not so: a beats b.",
      "Not clear beyond the noise: a beats b.",
    ]);
  });
});

describe("estimates", () => {
  it("are means with the standard error of the mean", () => {
    expect(estimate([1, 2, 3, 4])).toEqual({ mean: 2.5, standardError: Math.sqrt(5 / 3 / 4) });
    expect(estimate([3])).toEqual({ mean: 3, standardError: null });
  });

  it("of one seed have the chance of samples only: that of a proportion", () => {
    const right = Uint8Array.from({ length: 100 }, (_, i) => (i < 80 ? 1 : 0));
    const { mean, standardError } = accuracy([right]);
    expect(mean).toBeCloseTo(80, 12);
    expect(standardError).toBeCloseTo(100 * Math.sqrt((0.8 * 0.2) / 99), 12);
  });

  it("of several seeds add the chance of seeds", () => {
    const [low, high] = [Float64Array.of(1, 3), Float64Array.of(5, 7)];
    // Means of seeds 2 and 6, variance of their mean 4; means of samples 3 and 5, variance of their mean 1.
    expect(estimateOverSeedsAndSamples([low, high])).toEqual({ mean: 4, standardError: Math.sqrt(5) });
  });

  it("of differences on the same samples are far sharper than those of the parts", () => {
    const first = Uint8Array.from({ length: 1000 }, (_, i) => (i % 3 === 0 ? 0 : 1));
    const second = Uint8Array.from(first, (value, i) => (i % 60 === 0 ? 1 : value));
    const gain = pairedDifference([first], [second]);
    expect(gain.mean).toBeCloseTo(1.7, 9);
    expect(gain.standardError!).toBeLessThan(0.5 * accuracy([first]).standardError!);
    expect(pairedDifference([first], [first])).toEqual({ mean: 0, standardError: 0 });
  });
});
