import { describe, expect, it } from "vitest";
import { entropyOfCodes } from "../entropy.ts";
import { gridFor } from "../grid.ts";
import { fakeQuantize, quantize } from "../quantize-values.ts";
import { laplaceSamples, meanSquaredError } from "../samples.cases.ts";
import { statisticsOf } from "../statistics.ts";
import { laplaceAlpha } from "./laplace.ts";
import { midRise } from "./mid-rise.ts";
import { midTread, midTreadCodes, midTreadGrids } from "./mid-tread.ts";

const values = laplaceSamples(4000, 3);

describe("midTreadGrids", () => {
  it("gives channels bins in proportion to sigma^(2/3)", () => {
    const wide = statisticsOf(values.map((x) => 8 * x));
    const narrow = statisticsOf(values);
    const grids = midTreadGrids([wide, narrow], { bits: 4, side: "two-sided" });
    // Shares 4 : 1 of 32 bins are 25.6 and 6.4, rounded.
    expect(grids.map((grid) => grid.bins)).toEqual([26, 6]);
  });

  it("clips at the Laplace optimum for that many bins", () => {
    const statistics = statisticsOf(values);
    const [grid] = midTreadGrids([statistics], { bits: 4, side: "two-sided" });
    const alpha = statistics.meanAbsoluteDeviation * laplaceAlpha(4, "two-sided", "paper");
    expect(grid!.step).toBeCloseTo((2 * alpha) / 16, 12);
    const [oneSided] = midTreadGrids([statistics], { bits: 4, side: "one-sided" });
    const positive = statistics.meanAbsoluteDeviation * laplaceAlpha(4, "one-sided", "paper");
    expect(oneSided!.step).toBeCloseTo((Math.max(statistics.mean, 0) + positive) / 16, 12);
    expect(oneSided!.lowestCode).toBe(0);
  });

  it("covers the observed range when it does not clip", () => {
    const statistics = statisticsOf(values);
    const [grid] = midTreadGrids([statistics], { bits: 4, side: "two-sided", clip: false });
    expect(grid!.step).toBeCloseTo((statistics.max - statistics.min) / 16, 12);
  });

  it("turns a channel without bins into its mean, or 0 when a ReLU follows", () => {
    const constant = statisticsOf(new Float32Array(100).fill(2.5));
    const channels = [constant, statisticsOf(values)];
    const [twoSided] = midTreadGrids(channels, { bits: 2, side: "two-sided" });
    const [oneSided] = midTreadGrids(channels, { bits: 2, side: "one-sided" });
    expect(midTread(new Float32Array([2.5, 2.5]), twoSided!)).toEqual(new Float32Array([2.5, 2.5]));
    expect(midTread(new Float32Array([2.5, 0]), oneSided!)).toEqual(new Float32Array([0, 0]));
    expect(entropyOfCodes(midTreadCodes(new Float32Array([2.5, 0]), oneSided!))).toBe(0);
  });
});

describe("midTread", () => {
  it("keeps zero, is idempotent and has 2^M + 1 levels", () => {
    const [grid] = midTreadGrids([statisticsOf(values)], { bits: 3, side: "two-sided" });
    const once = midTread(values, grid!);
    expect(midTread(new Float32Array([0]), grid!)[0]).toBe(0);
    expect(midTread(once, grid!)).toEqual(once);
    expect(new Set(midTreadCodes(values, grid!)).size).toBe(9);
  });

  it("codes 64 bins in little over 3 bits after entropy coding, with less error than 16 clipped levels", () => {
    const plain = gridFor({ low: -4.9, high: 4.9 }, 4);
    const plainError = meanSquaredError(values, fakeQuantize(values, plain));
    // The same step without the clip: the additional codes are rare and so cost little.
    const grid = { bins: 64, step: plain.scale, lowestCode: -32, highestCode: 32 };
    expect(meanSquaredError(values, midTread(values, grid))).toBeLessThan(plainError);
    expect(entropyOfCodes(midTreadCodes(values, grid))).toBeLessThan(3.2);
    expect(entropyOfCodes(quantize(values, plain))).toBeLessThan(3.2);
  });
});

describe("midRise", () => {
  it("moves values to bin midpoints and clips at the outermost ones", () => {
    expect(Array.from(midRise(new Float32Array([-9, -0.1, 0.1, 0.9, 9]), 1, 1))).toEqual([-0.5, -0.5, 0.5, 0.5, 0.5]);
  });

  it("is idempotent", () => {
    const once = midRise(values, 5, 4);
    expect(midRise(once, 5, 4)).toEqual(once);
  });
});
