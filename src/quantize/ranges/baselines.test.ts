/** What is particular to single methods: windows, percentiles, sigmas, KL, mixing. */
import { describe, expect, it } from "vitest";
import { laplaceAlpha } from "../aciq/laplace.ts";
import { gridFor } from "../grid.ts";
import { type Histogram, rebin } from "../histogram.ts";
import { measuredMse } from "../measured-error.ts";
import { exponentialSamples, gaussSamples, laplaceSamples } from "../samples.cases.ts";
import { type Statistics, statisticsOf } from "../statistics.ts";
import { aciqGauss } from "./aciq-gauss.ts";
import { aciqLaplace } from "./aciq-laplace.ts";
import { aciqMix } from "./aciq-mix.ts";
import { kl } from "./kl.ts";
import { minMax } from "./min-max.ts";
import { mse } from "./mse.ts";
import { nSigma } from "./n-sigma.ts";
import { percentile } from "./percentile.ts";
import type { RangeRequest } from "./range-method.ts";
import { windowAround } from "./window.ts";

const BINS = { histogramBins: 2048 };
const twoSided: RangeRequest = { bits: 4, side: "two-sided", variant: "levels" };
const oneSided: RangeRequest = { bits: 4, side: "one-sided", variant: "levels" };
const laplace = statisticsOf(laplaceSamples(50_000, 21), BINS);
const gauss = statisticsOf(gaussSamples(50_000, 22), BINS);

describe("windowAround", () => {
  const statistics: Statistics = {
    count: 100,
    min: -1,
    max: 6,
    mean: 1,
    meanAbsoluteDeviation: 1,
    standardDeviation: 1.5,
  };

  it("cuts at the observed extremes by default", () => {
    expect(windowAround(statistics, 1.5, twoSided)).toEqual({ low: -0.5, high: 2.5 });
    expect(windowAround(statistics, 3, twoSided)).toEqual({ low: -1, high: 4 });
    expect(windowAround(statistics, 9, twoSided)).toEqual({ low: -1, high: 6 });
  });

  it("slides up with its full width 2 alpha in the published rule", () => {
    const reference = { ...twoSided, window: "reference" } as const;
    expect(windowAround(statistics, 1.5, reference)).toEqual({ low: -0.5, high: 2.5 });
    expect(windowAround(statistics, 3, reference)).toEqual({ low: -1, high: 5 });
    expect(windowAround(statistics, 9, reference)).toEqual({ low: -1, high: 17 });
  });

  it("goes from 0 to max(mu, 0) + alpha when a ReLU follows, by default at most to the maximum", () => {
    expect(windowAround(statistics, 3, oneSided)).toEqual({ low: 0, high: 4 });
    expect(windowAround({ ...statistics, mean: -0.5 }, 3, oneSided)).toEqual({ low: 0, high: 3 });
    expect(windowAround(statistics, 8, oneSided)).toEqual({ low: 0, high: 6 });
    expect(windowAround(statistics, 8, { ...oneSided, window: "reference" })).toEqual({ low: 0, high: 9 });
  });

  it("keeps top = alpha > 0 for a tensor without positive values", () => {
    const negative = { ...statistics, min: -5, max: -1, mean: -2 };
    expect(windowAround(negative, 3, oneSided)).toEqual({ low: 0, high: 3 });
  });

  it("ends at a ceiling", () => {
    expect(windowAround(statistics, 8, { ...oneSided, ceiling: 2 })).toEqual({ low: 0, high: 2 });
  });
});

describe("aciq-laplace", () => {
  it("comes within 12 % of the best one-sided range at 4 bits for means from -2b to 2b", () => {
    // 0.7 .. 10 % in the specification; 2 points for the sample.
    for (const shift of [-2, -1, -0.5, 0, 0.5, 1, 2]) {
      const statistics = statisticsOf(laplaceSamples(50_000, 23).map((x) => x + shift), BINS); // biome-ignore format: short
      const errorOf = (method: typeof mse): number =>
        measuredMse(statistics.histogram!, gridFor(method.choose(statistics, oneSided), 4), oneSided);
      expect(errorOf(aciqLaplace) / errorOf(mse), `mean ${shift}b`).toBeLessThan(1.12);
    }
  });

  it("gains by ending at the observed maximum", () => {
    // Few values: the formula's top lies beyond them.
    const statistics = statisticsOf(gaussSamples(64, 24), BINS);
    for (const bits of [6, 8]) {
      const request = { ...oneSided, bits };
      const errorOf = (window: "observed" | "reference"): number => {
        const range = aciqLaplace.choose(statistics, { ...request, window });
        return measuredMse(statistics.histogram!, gridFor(range, bits), request);
      };
      expect(errorOf("observed")).toBeLessThan(errorOf("reference"));
    }
  });

  it("accepts any real number of bits", () => {
    const { high } = aciqLaplace.choose(laplace, { ...twoSided, bits: 3.5 });
    const alpha = laplace.meanAbsoluteDeviation * laplaceAlpha(3.5, "two-sided", "levels");
    expect(high).toBeCloseTo(laplace.mean + alpha, 12);
  });

  it("predicts its own error within 10 %, and Gauss its own", () => {
    for (const [method, statistics] of [
      [aciqLaplace, laplace],
      [aciqGauss, gauss],
    ] as const) {
      // biome-ignore format: a table
      for (const request of [twoSided, oneSided]) {
        const range = method.choose(statistics, request);
        const measured = measuredMse(statistics.histogram!, gridFor(range, 4), request);
        // One-sided grids have an exact zero, which the model's rounding part does not know.
        expect(Math.abs(method.predictedMse!(statistics, range, request) / measured - 1)).toBeLessThan(0.1);
      }
    }
  });
});

describe("aciq-mix", () => {
  it("takes Laplace for Laplace, Gauss for Gauss, min-max for uniform values", () => {
    const uniform = statisticsOf(Float32Array.from({ length: 10_000 }, (_, i) => i / 5000 - 1), BINS); // biome-ignore format: short
    expect(aciqMix.choose(laplace, twoSided)).toEqual(aciqLaplace.choose(laplace, twoSided));
    expect(aciqMix.choose(gauss, twoSided)).toEqual(aciqGauss.choose(gauss, twoSided));
    expect(aciqMix.choose(uniform, twoSided)).toEqual(minMax.choose(uniform, twoSided));
  });

  it("could not decide by prediction: Gauss predicts less than Laplace even for Laplace values", () => {
    const predicted = [aciqLaplace, aciqGauss].map((method) =>
      method.predictedMse!(laplace, method.choose(laplace, twoSided), twoSided),
    );
    expect(predicted[1]).toBeLessThan(predicted[0]!);
  });
});

describe("n-sigma", () => {
  it("clips at n sigmas around the mean", () => {
    const { low, high } = nSigma(1.5).choose(gauss, twoSided);
    expect(low).toBeCloseTo(gauss.mean - 1.5 * gauss.standardDeviation, 12);
    expect(high).toBeCloseTo(gauss.mean + 1.5 * gauss.standardDeviation, 12);
  });

  it("refuses n that is not above 0", () => {
    expect(() => nSigma(0)).toThrow("n-sigma: n must be a number above 0, got 0.");
  });
});

describe("percentile", () => {
  it("cuts equal shares at both ends", () => {
    const { low, high } = percentile(90).choose(gauss, twoSided);
    // 5 and 95 % quantiles of the normal distribution; standard error 0.01.
    expect(Math.abs(low + 1.645)).toBeLessThan(0.04);
    expect(Math.abs(high - 1.645)).toBeLessThan(0.04);
  });

  it("cuts at the top only when a ReLU follows", () => {
    expect(Math.abs(percentile(90).choose(gauss, oneSided).high - 1.2816)).toBeLessThan(0.04);
  });

  it("keeps everything at 100, and the maximum where the percentile is a zero of the ReLU", () => {
    expect(percentile(100).choose(gauss, twoSided)).toEqual({ low: gauss.min, high: gauss.max });
    const mostlyNegative = statisticsOf(exponentialSamples(10_000, 25).map((x) => 0.001 - x), BINS); // biome-ignore format: short
    expect(percentile(90).choose(mostlyNegative, oneSided).high).toBe(mostlyNegative.max);
  });

  it("refuses percents of half the values and less", () => {
    expect(() => percentile(50)).toThrow("percentile: percent must be above 50 and at most 100, got 50.");
    expect(() => percentile(101)).toThrow("got 101");
  });
});

describe("kl", () => {
  it("finds the threshold that the definition gives, bin by bin", () => {
    for (const [statistics, bits] of [
      [laplace, 4],
      [gauss, 4],
      [laplace, 8],
    ] as const) {
      // biome-ignore format: a table
      const threshold = thresholdByDefinition(statistics.histogram!, 2 ** bits - 1);
      const { low, high } = kl.choose(statistics, { ...twoSided, bits, window: "reference" });
      expect(high - low).toBeCloseTo(2 * threshold, 9);
    }
  });

  it("clips heavy tails, and less at 8 bits than at 4", () => {
    const at = (bits: number): number => kl.choose(laplace, { ...twoSided, bits }).high;
    expect(at(4)).toBeLessThan(0.8 * laplace.max);
    expect(at(8)).toBeGreaterThan(at(4));
  });

  it("does not clip where there are more levels than bins", () => {
    expect(kl.choose(laplace, { ...twoSided, bits: 12 })).toEqual({ low: laplace.min, high: laplace.max });
    expect(kl.choose(laplace, { ...oneSided, bits: 12 })).toEqual({ low: 0, high: laplace.max });
  });
});

/** MXNet's search written out: for each threshold the two distributions, bin by bin. */
function thresholdByDefinition(histogram: Histogram, levels: number): number {
  const largest = Math.max(-histogram.low, histogram.high);
  const { counts } = rebin(histogram, -largest, largest, 2001);
  const sum = (values: Float64Array): number => values.reduce((a, b) => a + b, 0);
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let half = levels >> 1; half <= 1000; half++) {
    const inside = counts.slice(1000 - half, 1001 + half);
    const p = inside.slice();
    p[0]! += sum(counts.slice(0, 1000 - half));
    p[p.length - 1]! += sum(counts.slice(1001 + half));
    const q = new Float64Array(p.length);
    const perLevel = Math.floor(p.length / levels);
    for (let level = 0; level < levels; level++) {
      const from = level * perLevel;
      const to = level === levels - 1 ? p.length : from + perLevel;
      const ofLevel = inside.subarray(from, to);
      const share = sum(ofLevel) / ofLevel.filter((count) => count > 0).length;
      for (let i = from; i < to; i++) if (inside[i]! > 0) q[i] = share;
    }
    const [pSum, qSum] = [sum(p), sum(q)];
    let divergence = 0;
    p.forEach((x, i) => {
      const y = q[i]! > 0 ? q[i]! / qSum : 1e-4 / p.length;
      if (x > 0) divergence += (x / pSum) * Math.log(x / pSum / y);
    });
    // Equal up to rounding: the wider of the two, as the method itself.
    if (divergence > least + 1e-12) continue;
    least = divergence;
    best = (largest * (2 * half + 1)) / 2001;
  }
  return best;
}
