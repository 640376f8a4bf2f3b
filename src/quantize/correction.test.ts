import { describe, expect, it } from "vitest";
import { correctActivations, correctWeights, weightCorrection } from "./correction.ts";
import { fakeQuantizePerChannel } from "./quantize-values.ts";
import { exponentialSamples, laplaceSamples } from "./samples.cases.ts";
import { channelStatistics } from "./statistics.ts";
import { weightGrids } from "./weight-scale.ts";

// Skewed, so that rounding to 2 bits shifts the mean.
const weights = laplaceSamples(3000, 1).map((x, i) => x + 0.3 * x * x * ((i % 3) - 1));

for (const [shape, axis] of [
  [[5, 600], 0],
  [[600, 5], 1],
  [[10, 5, 60], 1],
] as const) {
  // biome-ignore format: a table
  const where = { shape, axis };
  const quantized = fakeQuantizePerChannel(weights, weightGrids(weights, { ...where, bits: 2 }), where);
  const original = channelStatistics(weights, shape, axis);
  const before = channelStatistics(quantized, shape, axis);

  describe(`correctWeights of [${shape.join(", ")}] along axis ${axis}`, () => {
    // Tolerance 1e-6 of the channel's std, the specification's: float32 weights hold 6e-8.
    const meanIsExact = (corrected: Float32Array): void => {
      channelStatistics(corrected, shape, axis).forEach((after, c) => {
        const { mean, standardDeviation } = original[c]!;
        expect(Math.abs(after.mean - mean) / standardDeviation, `channel ${c}`).toBeLessThan(1e-6);
      });
    };

    it("has something to correct", () => {
      expect(Math.abs(before[0]!.mean - original[0]!.mean)).toBeGreaterThan(0.01);
      expect(Math.abs(before[0]!.standardDeviation / original[0]!.standardDeviation - 1)).toBeGreaterThan(0.01);
    });

    it("leaves weights alone without a correction", () => {
      expect(correctWeights(weights, quantized, "none", where)).toEqual(quantized);
    });

    it("makes channel means equal, and only shifts", () => {
      const corrected = correctWeights(weights, quantized, "mean", where);
      meanIsExact(corrected);
      expect(corrected[7]! - quantized[7]!).not.toBe(0);
      channelStatistics(corrected, shape, axis).forEach((after, c) => {
        expect(after.standardDeviation).toBeCloseTo(before[c]!.standardDeviation, 5);
      });
    });

    it("makes means and standard deviations equal in the order of the published code", () => {
      const corrected = correctWeights(weights, quantized, "mean-variance", where);
      meanIsExact(corrected);
      channelStatistics(corrected, shape, axis).forEach((after, c) => {
        expect(Math.abs(after.standardDeviation / original[c]!.standardDeviation - 1)).toBeLessThan(1e-6);
      });
    });

    it("gets the mean wrong by the factor xi in the order of the paper", () => {
      const corrected = correctWeights(weights, quantized, "mean-variance-paper", where);
      channelStatistics(corrected, shape, axis).forEach((after, c) => {
        const xi = original[c]!.standardDeviation / before[c]!.standardDeviation;
        expect(after.mean).toBeCloseTo(xi * original[c]!.mean, 5);
        expect(after.standardDeviation).toBeCloseTo(original[c]!.standardDeviation, 5);
      });
    });
  });
}

describe("weightCorrection", () => {
  it("leaves the variance of a channel that became one number alone", () => {
    const flat = new Float32Array(4).fill(0.1);
    const found = weightCorrection(new Float32Array([1, 2, 3, 4]), flat, "mean-variance", { shape: [1, 4] });
    expect(found.factor[0]).toBe(1);
    expect(found.offset[0]).toBeCloseTo(2.4, 6);
  });

  it("refuses arrays that do not fit", () => {
    const four = new Float32Array(4);
    expect(() => weightCorrection(four, new Float32Array(3), "mean", { shape: [2, 2] })).toThrow(
      "correction: original and quantized values must be equally many, got 4 and 3.",
    );
    expect(() => weightCorrection(four, four, "mean", { shape: [2, 3] })).toThrow(
      "correction: the array must hold the 6 elements of its shape, got 4.",
    );
  });
});

describe("correctActivations", () => {
  it("adds the missing mean to the positive outputs of each channel", () => {
    // Channel 0: sums 6 and 3, three positive: +1. Channel 1: sums 4 and 8, two positive: -2.
    const x = new Float32Array([1, 2, 3, 0, 2, 2, 0, 0]);
    const q = new Float32Array([1, 1, 1, 0, 4, 4, 0, 0]);
    expect(Array.from(correctActivations(x, q, { shape: [1, 2, 4], axis: 1 }))).toEqual([2, 2, 2, 0, 2, 2, 0, 0]);
  });

  it("makes sums equal where both are positive at the same places", () => {
    const x = exponentialSamples(1000, 2).map((value) => value + 1);
    const q = x.map((value) => Math.ceil(value));
    const corrected = correctActivations(x, q, { shape: [10, 4, 25], axis: 1 });
    channelStatistics(corrected, [10, 4, 25], 1).forEach((after, c) => {
      expect(after.mean).toBeCloseTo(channelStatistics(x, [10, 4, 25], 1)[c]!.mean, 5);
    });
  });

  it("leaves channels without positive values as they are", () => {
    const zeros = new Float32Array(4);
    expect(correctActivations(zeros, zeros, { shape: [2, 2], axis: 1 })).toEqual(zeros);
  });
});
