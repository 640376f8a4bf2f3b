import { describe, expect, it } from "vitest";
import { histogramOf, histogramTotal, mergeHistograms, quantileOf, rebin } from "./histogram.ts";
import { gaussSamples } from "./samples.cases.ts";

const total = (counts: Float64Array): number => counts.reduce((a, b) => a + b, 0);

describe("histogramOf", () => {
  it("counts every value once, the maximum in the last bin", () => {
    const histogram = histogramOf(new Float32Array([0, 0.1, 0.5, 1]), { bins: 2 });
    expect(Array.from(histogram.counts)).toEqual([2, 2]);
    expect([histogram.low, histogram.high]).toEqual([0, 1]);
  });

  it("holds a constant in its first bin", () => {
    expect(Array.from(histogramOf(new Float32Array([3, 3]), { bins: 3 }).counts)).toEqual([2, 0, 0]);
  });

  it("refuses values without a finite range", () => {
    expect(() => histogramOf(new Float32Array([1, Infinity]))).toThrow(
      "histogramOf: the range of the values must be finite, got [1, Infinity].",
    );
    expect(() => histogramOf(new Float32Array([1, Number.NaN]))).toThrow("must be finite");
    expect(() => histogramOf(new Float32Array(0))).toThrow("must be finite");
  });
});

describe("rebin", () => {
  const histogram = histogramOf(gaussSamples(10_000, 1), { bins: 200 });

  it("keeps the total over a wider range and shares bins out evenly", () => {
    expect(total(rebin(histogram, -10, 10, 333).counts)).toBeCloseTo(10_000, 6);
    const coarse = { low: 0, high: 2, counts: new Float64Array([4, 8]) };
    expect(Array.from(rebin(coarse, 0, 2, 4).counts)).toEqual([2, 2, 4, 4]);
    expect(Array.from(rebin(coarse, -1, 3, 2).counts)).toEqual([4, 8]);
  });

  it("leaves out what lies outside", () => {
    const coarse = { low: 0, high: 2, counts: new Float64Array([4, 8]) };
    expect(Array.from(rebin(coarse, 1.5, 2.5, 1).counts)).toEqual([4]);
  });

  it("places a constant in its bin, or outside", () => {
    const constant = { low: 3, high: 3, counts: new Float64Array([7, 0]) };
    expect(Array.from(rebin(constant, 0, 4, 4).counts)).toEqual([0, 0, 0, 7]);
    expect(Array.from(rebin(constant, 4, 8, 2).counts)).toEqual([0, 0]);
    expect(Array.from(rebin(constant, 0, 1, 2).counts)).toEqual([0, 0]);
  });
});

describe("mergeHistograms", () => {
  it("adds counts over the union of the ranges", () => {
    const a = { low: 0, high: 2, counts: new Float64Array([4, 4]) };
    const b = { low: 2, high: 4, counts: new Float64Array([1, 3]) };
    const merged = mergeHistograms([a, b]);
    expect([merged.low, merged.high]).toEqual([0, 4]);
    expect(Array.from(merged.counts)).toEqual([8, 4]);
    expect(histogramTotal(merged)).toBe(12);
  });
});

describe("quantileOf", () => {
  it("interpolates within bins", () => {
    const histogram = { low: 0, high: 4, counts: new Float64Array([1, 1, 0, 2]) };
    expect(quantileOf(histogram, 0)).toBe(0);
    expect(quantileOf(histogram, 0.125)).toBe(0.5);
    expect(quantileOf(histogram, 0.5)).toBe(2);
    expect(quantileOf(histogram, 0.75)).toBe(3.5);
    expect(quantileOf(histogram, 1)).toBe(4);
  });

  it("finds the quantiles of the normal distribution", () => {
    const histogram = histogramOf(gaussSamples(200_000, 2));
    // Standard error of the 97.5 % quantile at this count: 0.006.
    expect(Math.abs(quantileOf(histogram, 0.975) - 1.95996)).toBeLessThan(0.025);
    expect(Math.abs(quantileOf(histogram, 0.5))).toBeLessThan(0.025);
  });
});
