import { describe, expect, it } from "vitest";
import { entropyOfCodes, entropyOfCounts, measuredEntropy } from "./entropy.ts";
import { type Grid, gridFor } from "./grid.ts";
import { histogramOf } from "./histogram.ts";
import { measuredMse } from "./measured-error.ts";
import { fakeQuantize, quantize } from "./quantize-values.ts";
import { exponentialSamples, gaussSamples, laplaceSamples, meanSquaredError } from "./samples.cases.ts";

const data: Readonly<Record<string, Float32Array>> = {
  laplace: laplaceSamples(50_000, 1),
  gauss: gaussSamples(50_000, 2),
  "shifted exponential": exponentialSamples(50_000, 3).map((x) => x - 0.5),
};
const grids: readonly Grid[] = [
  gridFor({ low: -3, high: 2 }, 2),
  gridFor({ low: -2, high: 3 }, 4),
  gridFor({ low: 0, high: 3 }, 4),
  gridFor({ low: -4, high: 4 }, 6),
];
const activations = [
  { side: "two-sided" },
  { side: "one-sided" },
  { side: "one-sided", ceiling: 1.45 },
  { side: "two-sided", ceiling: 0.65 },
] as const;

function activate(
  values: Float32Array,
  { side, ceiling = Infinity }: (typeof activations)[number] & { ceiling?: number },
): Float32Array {
  return values.map((x) => Math.min(side === "one-sided" ? Math.max(x, 0) : x, ceiling));
}

describe("measuredMse", () => {
  for (const [name, values] of Object.entries(data)) {
    it(`agrees with the error of the ${name} values themselves, for every grid and activation`, () => {
      const histogram = histogramOf(values);
      for (const grid of grids) {
        for (const activation of activations) {
          const y = activate(values, activation);
          const exact = meanSquaredError(y, fakeQuantize(y, grid));
          // 1 %: values are not quite evenly spread within bins, of which there are 2048.
          const found = measuredMse(histogram, grid, activation);
          expect(Math.abs(found / exact - 1), JSON.stringify({ grid, activation })).toBeLessThan(0.01);
        }
      }
    });
  }

  it("is exact for uniform values: D^2/12 inside a grid", () => {
    const uniform = { low: -1, high: 1, counts: new Float64Array(7).fill(1) };
    const grid = { bits: 4, scale: 0.25, zeroPoint: 8, lowestCode: 0 };
    expect(measuredMse(uniform, grid)).toBeCloseTo(0.25 ** 2 / 12, 14);
  });

  it("counts what the ReLU makes zero as the error of zero", () => {
    const negative = { low: -2, high: -1, counts: new Float64Array([5, 5]) };
    expect(measuredMse(negative, gridFor({ low: 0, high: 1 }, 4), { side: "one-sided" })).toBe(0);
    const offset = gridFor({ low: 1, high: 2 }, 4);
    expect(measuredMse(negative, offset, { side: "one-sided" })).toBeCloseTo(1, 5);
  });

  it("counts what is above a ceiling as the error of the ceiling, also where everything is", () => {
    const above = { low: 7, high: 9, counts: new Float64Array([5, 5]) };
    const grid = gridFor({ low: 0, high: 8 }, 4);
    // 6 is between 11 and 12 steps of 8/15: a quarter of a step from the nearest.
    expect(measuredMse(above, grid, { ceiling: 6 })).toBeCloseTo((8 / 15 / 4) ** 2, 6);
    const around = { low: 5, high: 7, counts: new Float64Array([5, 5]) };
    const fine = gridFor({ low: 0, high: 6 }, 8);
    expect(measuredMse(around, fine, { ceiling: 6 })).toBeLessThan(fine.scale ** 2 / 12);
  });

  it("measures a constant at its one point", () => {
    const constant = { low: 0.3, high: 0.3, counts: new Float64Array([9, 0]) };
    expect(measuredMse(constant, gridFor({ low: 0.3, high: 0.3 }, 4))).toBeCloseTo(0, 12);
    expect(measuredMse(constant, { bits: 1, scale: 1, zeroPoint: 0, lowestCode: 0 })).toBeCloseTo(0.09, 12);
  });
});

describe("measuredEntropy", () => {
  for (const [name, values] of Object.entries(data)) {
    it(`agrees with the entropy of the codes of the ${name} values`, () => {
      const histogram = histogramOf(values);
      for (const grid of grids) {
        for (const activation of activations) {
          const exact = entropyOfCodes(quantize(activate(values, activation), grid));
          // 0.01 bits: values near a boundary between codes share a bin with those beyond it.
          const found = measuredEntropy(histogram, grid, activation);
          expect(Math.abs(found - exact), JSON.stringify({ grid, activation })).toBeLessThan(0.01);
        }
      }
    });
  }

  it("is 0 for a constant", () => {
    const constant = { low: 0.3, high: 0.3, counts: new Float64Array([9, 0]) };
    expect(measuredEntropy(constant, gridFor({ low: 0, high: 1 }, 4))).toBe(0);
  });
});

describe("entropyOfCounts", () => {
  it("is log2 n for n equal counts, 0 for one, and ignores empty ones", () => {
    expect(entropyOfCounts([5, 5, 5, 5])).toBeCloseTo(2, 14);
    expect(entropyOfCounts([7])).toBe(0);
    expect(entropyOfCounts([0, 3, 0, 3])).toBeCloseTo(1, 14);
    expect(entropyOfCounts([])).toBe(0);
    expect(entropyOfCounts([1, 3])).toBeCloseTo(0.8112781244591328, 14);
  });
});
