/** The error formulas against a million seeded samples, as the specification asks. */
import { describe, expect, it } from "vitest";
import { gridFor } from "../grid.ts";
import { fakeQuantize } from "../quantize-values.ts";
import { aciqGauss } from "../ranges/aciq-gauss.ts";
import { aciqLaplace } from "../ranges/aciq-laplace.ts";
import { minMax } from "../ranges/min-max.ts";
import type { RangeMethod } from "../ranges/range-method.ts";
import { gaussSamples, laplaceSamples, meanSquaredError } from "../samples.cases.ts";
import { statisticsOf } from "../statistics.ts";
import { gaussAlpha, gaussMse } from "./gauss.ts";
import { laplaceAlpha, laplaceMse } from "./laplace.ts";
import { midRise } from "./mid-rise.ts";
import { midTread } from "./mid-tread.ts";

const COUNT = 1_000_000;
const laplace = laplaceSamples(COUNT, 1);
const gauss = gaussSamples(COUNT, 2);

/** 2^bits levels from -alpha to alpha inclusive: a mid-rise grid whose outermost midpoints are at +-alpha. */
function endpointGrid(values: Float32Array, alpha: number, bits: number): Float32Array {
  return midRise(values, (alpha * 2 ** bits) / (2 ** bits - 1), bits);
}

function laplaceModel(bits: number, variant: "paper" | "levels"): number {
  const { clip, rounding } = laplaceMse(laplaceAlpha(bits, "two-sided", variant), 1, bits, "two-sided", variant);
  return clip + rounding;
}

function gaussModel(bits: number, variant: "paper" | "levels"): number {
  const { clip, rounding } = gaussMse(gaussAlpha(bits, "two-sided", variant), 1, bits, "two-sided", variant);
  return clip + rounding;
}

describe("the levels model", () => {
  it("is within 2 % of simulated Laplace errors at 2 to 6 bits", () => {
    for (const bits of [2, 3, 4, 5, 6]) {
      const simulated = meanSquaredError(
        laplace,
        endpointGrid(laplace, laplaceAlpha(bits, "two-sided", "levels"), bits),
      );
      expect(Math.abs(simulated / laplaceModel(bits, "levels") - 1), `M = ${bits}: ${simulated}`).toBeLessThan(0.02);
    }
  });

  it("is within 10, 4 and 2 % of simulated Gauss errors at 2, 3 and from 4 bits", () => {
    for (const [bits, tolerance] of [
      [2, 0.1],
      [3, 0.04],
      [4, 0.02],
      [5, 0.02],
      [6, 0.02],
    ] as const) {
      // biome-ignore format: a table
      const simulated = meanSquaredError(gauss, endpointGrid(gauss, gaussAlpha(bits, "two-sided", "levels"), bits));
      expect(Math.abs(simulated / gaussModel(bits, "levels") - 1), `M = ${bits}: ${simulated}`).toBeLessThan(tolerance);
    }
  });

  it("beats the paper's clip on a real grid of 2 bits", () => {
    const errorAt = (variant: "paper" | "levels"): number =>
      meanSquaredError(laplace, endpointGrid(laplace, laplaceAlpha(2, "two-sided", variant), 2));
    // .393 b^2 against .430 b^2 in the specification; 2 % for the sample.
    expect(Math.abs(errorAt("levels") / 0.393 - 1)).toBeLessThan(0.02);
    expect(Math.abs(errorAt("paper") / 0.43 - 1)).toBeLessThan(0.02);
  });
});

describe("the paper's model", () => {
  /** Error of the mid-tread grid of 2^bits + 1 levels over the model's prediction, less 1. */
  const deviation = (values: Float32Array, alpha: number, bits: number, model: number): number => {
    const half = 2 ** (bits - 1);
    const grid = { bins: 2 ** bits, step: alpha / half, lowestCode: -half, highestCode: half };
    return meanSquaredError(values, midTread(values, grid)) / model - 1;
  };

  it("is within 6 % at 2 bits and 3 % at 3 and 4 bits of a mid-tread grid of 2^M + 1 levels, Gauss", () => {
    for (const [bits, tolerance] of [
      [2, 0.06],
      [3, 0.03],
      [4, 0.03],
    ] as const) {
      // biome-ignore format: a table
      const found = deviation(gauss, gaussAlpha(bits, "two-sided", "paper"), bits, gaussModel(bits, "paper"));
      expect(Math.abs(found), `M = ${bits}`).toBeLessThan(tolerance);
    }
  });

  it("differs from the mid-tread grid's Laplace error by what exact integration gives", () => {
    // Integrated in steps of 1e-5: -6.5, -3.1 and -1.3 %, so the specification's 6 and 3 % are half a point too tight for
    // M = 2 and a tenth for M = 3. 1 point for the sample: the heavy tail makes its standard error 0.4 %.
    for (const [bits, exact] of [
      [2, -0.0652],
      [3, -0.0309],
      [4, -0.0128],
    ] as const) {
      // biome-ignore format: a table
      const found = deviation(laplace, laplaceAlpha(bits, "two-sided", "paper"), bits, laplaceModel(bits, "paper"));
      expect(Math.abs(found - exact), `M = ${bits}`).toBeLessThan(0.01);
    }
  });

  it("is too optimistic about a real grid of 2 bits, by more than a quarter", () => {
    const simulated = meanSquaredError(laplace, endpointGrid(laplace, laplaceAlpha(2, "two-sided", "paper"), 2));
    expect(simulated).toBeGreaterThan(1.25 * laplaceModel(2, "paper"));
  });
});

describe("clipping at 4 bits", () => {
  const largestMagnitude = (values: Float32Array): number => values.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  const gain = (values: Float32Array, alpha: number): number =>
    meanSquaredError(values, endpointGrid(values, largestMagnitude(values), 4)) /
    meanSquaredError(values, endpointGrid(values, alpha, 4));

  // The specification's 7.6x and 3.6x are one sample's, of symmetric endpoint grids. The largest of a million values, whose
  // square the gain goes with, varies: 5.3 to 7.9 and 3.0 to 3.7 over 20 seeds.
  it("gains about 7.6 times over min-max on Laplace values", () => {
    const found = gain(laplace, laplaceAlpha(4, "two-sided", "levels"));
    expect(found).toBeGreaterThan(5);
    expect(found).toBeLessThan(8);
  });

  it("gains about 3.6 times over min-max on Gauss values", () => {
    const found = gain(gauss, gaussAlpha(4, "two-sided", "levels"));
    expect(found).toBeGreaterThan(2.8);
    expect(found).toBeLessThan(4);
  });

  it("gains on the deployed grids too, where min-max profits from an exact zero", () => {
    for (const [values, method, least] of [
      [laplace, aciqLaplace, 4],
      [gauss, aciqGauss, 2.5],
    ] as const) {
      // biome-ignore format: a table
      const statistics = statisticsOf(values);
      const errorOf = (chosen: RangeMethod): number => {
        const range = chosen.choose(statistics, { bits: 4, side: "two-sided", variant: "levels" });
        return meanSquaredError(values, fakeQuantize(values, gridFor(range, 4)));
      };
      expect(errorOf(minMax) / errorOf(method)).toBeGreaterThan(least);
    }
  });
});
