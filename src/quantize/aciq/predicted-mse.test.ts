import { describe, expect, it } from "vitest";
import type { Statistics } from "../statistics.ts";
import { gaussAlpha, gaussMse } from "./gauss.ts";
import { laplaceAlpha, laplaceMse } from "./laplace.ts";
import { predictedMse } from "./predicted-mse.ts";

/** Statistics of a distribution without ends. */
const endless: Statistics = {
  count: 1e6,
  min: -1e9,
  max: 1e9,
  mean: 0,
  meanAbsoluteDeviation: 0.7,
  standardDeviation: 0.9,
};

describe("predictedMse", () => {
  it("is the Laplace formula for a window of mu +- alpha, wherever mu is", () => {
    for (const variant of ["paper", "levels"] as const) {
      const alpha = 0.7 * laplaceAlpha(4, "two-sided", variant);
      const found = predictedMse(
        { ...endless, mean: 3 },
        { low: 3 - alpha, high: 3 + alpha },
        { bits: 4, side: "two-sided", variant },
        "laplace",
      );
      const expected = laplaceMse(alpha, 0.7, 4, "two-sided", variant);
      expect(found.clip).toBeCloseTo(expected.clip, 12);
      expect(found.rounding).toBeCloseTo(expected.rounding, 12);
    }
  });

  it("is the one-sided Gauss formula for a zero-mean tensor", () => {
    const alpha = 0.9 * gaussAlpha(3, "one-sided", "levels");
    const request = { bits: 3, side: "one-sided", variant: "levels" } as const;
    const found = predictedMse(endless, { low: 0, high: alpha }, request, "gauss");
    const expected = gaussMse(alpha, 0.9, 3, "one-sided", "levels");
    expect(found.clip).toBeCloseTo(expected.clip, 12);
    expect(found.rounding).toBeCloseTo(expected.rounding, 12);
  });

  it("expects nothing to be clipped at the observed extremes or the ceiling", () => {
    const request = { bits: 4, side: "two-sided", variant: "levels" } as const;
    const bounded = { ...endless, min: -2, max: 2 };
    expect(predictedMse(bounded, { low: -2, high: 2 }, request, "laplace")).toEqual({
      clip: 0,
      rounding: (4 / 15) ** 2 / 12,
    });
    const ceiling = { bits: 4, side: "one-sided", variant: "levels", ceiling: 1 } as const;
    expect(predictedMse(bounded, { low: 0, high: 1 }, ceiling, "laplace").clip).toBe(0);
    expect(predictedMse(bounded, { low: 0, high: 0.5 }, ceiling, "laplace").clip).toBeGreaterThan(0);
  });

  it("expects no error of a range of one number that is all of the data", () => {
    const constant = { ...endless, min: 2, max: 2, mean: 2, meanAbsoluteDeviation: 0, standardDeviation: 0 };
    const request = { bits: 4, side: "two-sided", variant: "levels" } as const;
    expect(predictedMse(constant, { low: 2, high: 2 }, request, "gauss")).toEqual({ clip: 0, rounding: 0 });
  });
});
