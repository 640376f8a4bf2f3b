import { describe, expect, it } from "vitest";
import { gaussSamples, laplaceSamples } from "./samples.cases.ts";
import {
  assertStatistics,
  channelOrTensor,
  channelStatistics,
  MINIMUM_CHANNEL_COUNT,
  mergeStatistics,
  statisticsOf,
} from "./statistics.ts";

describe("statisticsOf", () => {
  it("computes moments around the mean", () => {
    const found = statisticsOf(new Float32Array([1, 2, 3, 6]));
    expect(found).toEqual({
      count: 4,
      min: 1,
      max: 6,
      mean: 3,
      meanAbsoluteDeviation: 1.5,
      standardDeviation: Math.sqrt(3.5),
    });
  });

  it("has b = 1 and sigma = sqrt 2 for Laplace(1), b = sqrt(2/pi) and sigma = 1 for Gauss(1)", () => {
    const laplace = statisticsOf(laplaceSamples(200_000, 1));
    const gauss = statisticsOf(gaussSamples(200_000, 2));
    // Standard errors at this count are below 0.004.
    expect(Math.abs(laplace.meanAbsoluteDeviation - 1)).toBeLessThan(0.015);
    expect(Math.abs(laplace.standardDeviation - Math.SQRT2)).toBeLessThan(0.015);
    expect(Math.abs(gauss.meanAbsoluteDeviation - Math.sqrt(2 / Math.PI))).toBeLessThan(0.015);
    expect(Math.abs(gauss.standardDeviation - 1)).toBeLessThan(0.015);
  });

  it("takes b around the mean: a shift does not change it", () => {
    const values = laplaceSamples(10_000, 3);
    const shifted = statisticsOf(values.map((x) => x + 1000));
    // Float32 holds 1000 + x to 3e-5.
    expect(Math.abs(shifted.meanAbsoluteDeviation - statisticsOf(values).meanAbsoluteDeviation)).toBeLessThan(1e-4);
    expect(Math.abs(shifted.standardDeviation - statisticsOf(values).standardDeviation)).toBeLessThan(1e-4);
  });

  it("gives constants no spread at all", () => {
    const found = statisticsOf(new Float32Array(1001).fill(0.1));
    expect([found.meanAbsoluteDeviation, found.standardDeviation]).toEqual([0, 0]);
  });

  it("adds a histogram when asked", () => {
    const { histogram } = statisticsOf(gaussSamples(100, 1), { histogramBins: 10 });
    expect(histogram!.counts.reduce((a, b) => a + b)).toBe(100);
    expect(statisticsOf(gaussSamples(100, 1)).histogram).toBeUndefined();
  });

  it("refuses NaN, infinity and nothing, and says where", () => {
    expect(() => statisticsOf(new Float32Array([1, Number.NaN]), { subject: "conv1.weight" })).toThrow(
      "statisticsOf: conv1.weight must be finite, got NaN at element 1.",
    );
    expect(() => statisticsOf(new Float32Array([-Infinity, Infinity]))).toThrow("got -Infinity at element 0");
    expect(() => statisticsOf(new Float32Array(0))).toThrow("must hold at least one value, got none");
  });
});

describe("channelStatistics", () => {
  it("equals statisticsOf of each channel, first, middle or last axis", () => {
    const values = gaussSamples(24, 4);
    const middle = channelStatistics(values, [2, 3, 4], 1);
    const channel = Float32Array.from([4, 5, 6, 7, 16, 17, 18, 19], (i) => values[i]!);
    expect(middle).toHaveLength(3);
    expect(middle[1]).toEqual(statisticsOf(channel));
    expect(channelStatistics(values, [2, 3, 4], 0)[1]).toEqual(statisticsOf(values.slice(12)));
    expect(channelStatistics(values, [6, 4], -1)[3]).toEqual(statisticsOf(values.filter((_, i) => i % 4 === 3)));
  });

  it("names the channel that is not finite", () => {
    const values = new Float32Array([1, 2, 3, Number.NaN]);
    expect(() => channelStatistics(values, [2, 2], 0, { subject: "fc.weight" })).toThrow(
      "statisticsOf: channel 1 of fc.weight must be finite, got NaN at element 1.",
    );
  });
});

describe("mergeStatistics", () => {
  const values = gaussSamples(3000, 5).map((x, i) => x * (1 + i / 1000) + i / 500);
  const parts = [values.slice(0, 100), values.slice(100, 1100), values.slice(1100)].map((part) =>
    statisticsOf(part, { histogramBins: 50 }),
  );
  const merged = mergeStatistics(parts);
  const whole = statisticsOf(values);

  it("is exact in count, extremes, mean and variance", () => {
    expect([merged.count, merged.min, merged.max]).toEqual([whole.count, whole.min, whole.max]);
    // Float64 rounding of 3000 additions.
    expect(merged.mean).toBeCloseTo(whole.mean, 11);
    expect(merged.standardDeviation).toBeCloseTo(whole.standardDeviation, 11);
  });

  it("averages b by count, which is no larger than b around the common mean", () => {
    const average = parts.reduce((sum, part) => sum + part.count * part.meanAbsoluteDeviation, 0) / 3000;
    expect(merged.meanAbsoluteDeviation).toBeCloseTo(average, 12);
    expect(merged.meanAbsoluteDeviation).toBeLessThan(whole.meanAbsoluteDeviation);
  });

  it("merges histograms when every part has one", () => {
    expect(merged.histogram!.counts.reduce((a, b) => a + b)).toBeCloseTo(3000, 6);
    expect(mergeStatistics([parts[0]!, whole]).histogram).toBeUndefined();
  });

  it("refuses to merge nothing", () => {
    expect(() => mergeStatistics([])).toThrow("mergeStatistics: there must be at least one part, got none.");
  });
});

describe("channelOrTensor", () => {
  it("falls back to the tensor below 32 values", () => {
    const tensor = statisticsOf(gaussSamples(1000, 1));
    const few = statisticsOf(gaussSamples(MINIMUM_CHANNEL_COUNT - 1, 1));
    const enough = statisticsOf(gaussSamples(MINIMUM_CHANNEL_COUNT, 1));
    expect(channelOrTensor(few, tensor)).toBe(tensor);
    expect(channelOrTensor(enough, tensor)).toBe(enough);
  });
});

describe("assertStatistics", () => {
  const good = statisticsOf(gaussSamples(10, 1));

  it("accepts what statisticsOf makes", () => {
    expect(() => assertStatistics(good, "x")).not.toThrow();
  });

  it("names the tensor and what is wrong with it", () => {
    expect(() => assertStatistics({ ...good, mean: Number.NaN }, "relu1")).toThrow(
      "quantize: statistics of relu1 must be finite, got mean NaN. The tensor holds NaN or infinite values.",
    );
    expect(() => assertStatistics({ ...good, count: 0 }, "relu1")).toThrow("must be of at least one value, got 0");
    expect(() => assertStatistics({ ...good, min: 9, max: -9 }, "relu1")).toThrow("must have min <= max, got 9 > -9");
    expect(() => assertStatistics({ ...good, standardDeviation: -1 }, "relu1")).toThrow("must not be negative");
  });
});
