/** The optimum of both priors: the tables of the specification, and the formulas against direct numerical work. */
import { describe, expect, it } from "vitest";
import { symmetricBinCount } from "./bin-count.ts";
import { gaussAbove, gaussAlpha, gaussMse, gaussTail } from "./gauss.ts";
import { laplaceAbove, laplaceAlpha, laplaceMse, laplaceTail } from "./laplace.ts";

const sides = ["two-sided", "one-sided"] as const;
const variants = ["paper", "levels"] as const;
const priors = [
  { name: "Laplace", alpha: laplaceAlpha, mse: laplaceMse, tail: laplaceTail, above: laplaceAbove, density: (x: number) => Math.exp(-Math.abs(x)) / 2 },
  { name: "Gauss", alpha: gaussAlpha, mse: gaussMse, tail: gaussTail, above: gaussAbove, density: (x: number) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI) },
] as const; // biome-ignore format: a table

describe("optimal clip", () => {
  // ACIQ section 1; absolute tolerance 1e-3 from the specification, alphas printed with 4 decimals.
  const table = {
    Laplace: [1.8628, 2.8307, 3.8972, 5.0286, 6.2048, 7.4131, 8.6456, 9.8968],
    Gauss: [1.2399, 1.7106, 2.1516, 2.5591, 2.9362, 3.2869, 3.6151, 3.924],
  };
  const errors = {
    Laplace: [0.5996, 0.28488, 0.1197, 0.046022, 0.016572, 0.0056788, 0.0018725, 0.00059885],
    Gauss: [0.21501, 0.087149, 0.031429, 0.010493, 0.0033226, 0.0010129, 0.00030022, 0.000087078],
  };
  for (const { name, alpha, mse } of priors) {
    it(`is the ${name} table of the specification at 1 to 8 bits`, () => {
      table[name].forEach((expected, i) => {
        expect(Math.abs(alpha(i + 1, "two-sided", "paper") - expected), `M = ${i + 1}`).toBeLessThan(1e-3);
      });
    });

    it(`has the ${name} errors of the specification at 1 to 8 bits`, () => {
      errors[name].forEach((expected, i) => {
        const { clip, rounding } = mse(alpha(i + 1, "two-sided", "paper"), 1, i + 1, "two-sided", "paper");
        // Printed with 4 or 5 digits.
        expect(Math.abs((clip + rounding) / expected - 1), `M = ${i + 1}`).toBeLessThan(1e-4);
      });
    });

    it(`is the minimizer of the ${name} error, whatever side, variant and (real) bits`, () => {
      for (const side of sides) {
        for (const variant of variants) {
          for (const bits of [1, 2, 2.5, 3.3, 4, 6, 8]) {
            const best = alpha(bits, side, variant);
            const total = (a: number): number => {
              const { clip, rounding } = mse(a, 1, bits, side, variant);
              return clip + rounding;
            };
            const found = rootOfSlope(total, best * 0.5, best * 1.5);
            expect(Math.abs(found - best), `${side} ${variant} M = ${bits}`).toBeLessThan(1e-6);
          }
        }
      }
    });

    it(`is for one-sided ${name} values that of one more bit, exactly`, () => {
      for (const bits of [0, 1, 2, 3, 3.7, 4, 5, 6, 7, 8]) {
        const difference = alpha(bits, "one-sided", "paper") - alpha(bits + 1, "two-sided", "paper");
        expect(Math.abs(difference), `M = ${bits}`).toBeLessThan(1e-9);
      }
    });

    it(`scales with the spread: ${name} errors go with its square`, () => {
      const unit = mse(2, 1, 4, "two-sided", "levels");
      const scaled = mse(6, 3, 4, "two-sided", "levels");
      expect(scaled.clip).toBeCloseTo(9 * unit.clip, 12);
      expect(scaled.rounding).toBeCloseTo(9 * unit.rounding, 12);
    });

    it(`rests on ${name} tails that agree with numerical integration`, () => {
      const { tail, above, density } = priors.find((prior) => prior.name === name)!;
      for (const a of [-3, -0.7, 0, 0.4, 1, 2.5, 5]) {
        // Simpson's rule over 400,000 steps; the kink of the Laplace density at 0 is a node of the grid for these a.
        const square = integrate((x) => (x - a) ** 2 * density(x), a, a + 40);
        const mass = integrate(density, a, a + 40);
        expect(Math.abs(tail(a, 1) / square - 1), `a = ${a}`).toBeLessThan(1e-6);
        expect(Math.abs(above(a, 1) / mass - 1), `a = ${a}`).toBeLessThan(1e-6);
      }
    });
  }

  it("has a Laplace value at 0 bits, which bit allocation needs", () => {
    expect(laplaceAlpha(0, "two-sided", "paper")).toBeCloseTo(1.0499, 4);
    expect(laplaceAlpha(0, "one-sided", "paper")).toBeCloseTo(1.8628, 4);
  });

  it("is smaller on a real grid: the levels variant of the specification", () => {
    const laplace = [2, 3, 4, 5].map((bits) => laplaceAlpha(bits, "two-sided", "levels"));
    const gauss = [2, 3, 4, 5].map((bits) => gaussAlpha(bits, "two-sided", "levels"));
    const oneSided = [2, 3, 4].map((bits) => laplaceAlpha(bits, "one-sided", "levels"));
    expectClose(laplace, [2.4144, 3.6859, 4.9212, 6.1501], 1e-3);
    expectClose(gauss, [1.5182, 2.0693, 2.5225, 2.9195], 1e-3);
    expectClose(oneSided, [3.445, 4.807, 6.094], 1e-3);
  });

  it("predicts the levels errors of the specification", () => {
    const errors = [2, 3, 4].map((bits) => {
      const { clip, rounding } = laplaceMse(laplaceAlpha(bits, "two-sided", "levels"), 1, bits, "two-sided", "levels");
      return clip + rounding;
    });
    expectClose(errors, [0.3947, 0.1426, 0.0505], 1e-4);
  });

  it("writes the one-sided error as b^2 exp(-alpha/b) + alpha^2/(24 * 4^M)", () => {
    const { clip, rounding } = laplaceMse(3, 0.8, 4, "one-sided", "paper");
    expect(clip).toBeCloseTo(0.8 ** 2 * Math.exp(-3 / 0.8), 14);
    expect(rounding).toBeCloseTo(9 / (24 * 4 ** 4), 14);
  });

  it("is 0 without bins, and tails of a constant are a step", () => {
    expect(laplaceAlpha(0, "two-sided", "levels")).toBe(0);
    expect(gaussAlpha(0, "two-sided", "levels")).toBe(0);
    expect([laplaceTail(1, 0), laplaceTail(-2, 0), gaussTail(1, 0), gaussTail(-2, 0)]).toEqual([0, 4, 0, 4]);
    expect([laplaceAbove(1, 0), laplaceAbove(-2, 0), gaussAbove(1, 0), gaussAbove(-2, 0)]).toEqual([0, 1, 0, 1]);
  });

  it("refuses negative and infinite bits", () => {
    expect(() => laplaceAlpha(-1, "two-sided", "paper")).toThrow(
      "quantize: bits must be a finite number of at least 0, got -1.",
    );
    expect(() => symmetricBinCount(Number.POSITIVE_INFINITY, "one-sided", "levels")).toThrow("got Infinity");
  });
});

function expectClose(actual: readonly number[], expected: readonly number[], tolerance: number): void {
  actual.forEach((value, i) => {
    expect(Math.abs(value - expected[i]!), `entry ${i}: ${value}`).toBeLessThan(tolerance);
  });
}

/** The stationary point of f: bisection on its central difference, which resolves 1e-7 where a search on f itself cannot. */
function rootOfSlope(f: (x: number) => number, from: number, to: number): number {
  const h = 1e-4;
  let low = from;
  let high = to;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    // Fourth-order difference: its own error, h^4, moves the root by less than 1e-10.
    const slope = 8 * (f(middle + h) - f(middle - h)) - (f(middle + 2 * h) - f(middle - 2 * h));
    if (slope < 0) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

function integrate(f: (x: number) => number, from: number, to: number): number {
  const steps = 400_000;
  const h = (to - from) / steps;
  let sum = f(from) + f(to);
  for (let i = 1; i < steps; i++) sum += f(from + i * h) * (i % 2 === 1 ? 4 : 2);
  return (sum * h) / 3;
}
