/** What every range method must do: one suite for all of them. */
import { describe, expect, it } from "vitest";
import { DataError } from "../../errors.ts";
import { gridFor, type Range } from "../grid.ts";
import { fakeQuantize } from "../quantize-values.ts";
import { exponentialSamples, gaussSamples, laplaceSamples, meanSquaredError } from "../samples.cases.ts";
import { type Statistics, statisticsOf } from "../statistics.ts";
import type { RangeMethod, RangeRequest } from "./range-method.ts";

const COUNT = 5000;
const BINS = { histogramBins: 1024 };

/** Tensors of the kinds networks have. */
const tensors: Readonly<Record<string, Float32Array>> = {
  laplace: laplaceSamples(COUNT, 1),
  gauss: gaussSamples(COUNT, 2),
  "shifted gauss": gaussSamples(COUNT, 3).map((x) => x - 1),
  exponential: exponentialSamples(COUNT, 4),
  "negative outlier": gaussSamples(COUNT, 5).map((x, i) => (i === 7 ? -60 : x)),
};

const allStatistics: Readonly<Record<string, Statistics>> = Object.fromEntries(
  Object.entries(tensors).map(([name, values]) => [name, statisticsOf(values, BINS)]),
);

/** Values shifted so far that no range of theirs includes zero. */
const farFromZero = gaussSamples(COUNT, 6).map((x) => x + 100);

const sides = ["two-sided", "one-sided"] as const;
const variants = ["paper", "levels"] as const;

const requests: readonly RangeRequest[] = sides.flatMap((side) =>
  variants.flatMap((variant) => [2, 4, 8].map((bits) => ({ side, variant, bits }))),
);

/** A property of range methods; `check` throws where a method does not have it. */
export interface RangeMethodCheck {
  readonly title: string;
  check(method: RangeMethod): void;
}

/** The properties, in the order they are reported. */
export const rangeMethodChecks: readonly RangeMethodCheck[] = [
  {
    title: "gives finite, ordered ranges for every tensor, side, variant and width",
    check: (method) => {
      forEachTensor((name, statistics) => {
        for (const request of requests) {
          const { low, high } = method.choose(statistics, request);
          expect(Number.isFinite(low) && Number.isFinite(high), `${name}: [${low}, ${high}]`).toBe(true);
          expect(low < high, `${name}: [${low}, ${high}]`).toBe(true);
        }
      });
    },
  },
  {
    title: "never reaches beyond the values seen, and starts one-sided ranges at zero",
    check: (method) => {
      forEachTensor((name, statistics) => {
        for (const request of requests) {
          const { low, high } = method.choose(statistics, request);
          const oneSided = request.side === "one-sided";
          if (oneSided) expect(low, name).toBe(0);
          else expect(low, name).toBeGreaterThanOrEqual(statistics.min);
          expect(high, name).toBeLessThanOrEqual(statistics.max);
        }
      });
    },
  },
  {
    title: "represents zero exactly where the range includes it",
    check: (method) => {
      forEachTensor((name, statistics) => {
        for (const request of requests) {
          const range = method.choose(statistics, request);
          if (range.low > 0 || range.high < 0) continue;
          expect(fakeQuantize(new Float32Array([0]), gridFor(range, request.bits))[0], name).toBe(0);
        }
      });
    },
  },
  {
    title: "errs less with more bits",
    check: (method) => {
      forEachTensor((name, statistics, values) => {
        for (const side of sides) {
          const seen = side === "one-sided" ? values.map((x) => Math.max(x, 0)) : values;
          let before = Number.POSITIVE_INFINITY;
          for (const bits of [2, 3, 4, 5, 6, 7, 8]) {
            const grid = gridFor(method.choose(statistics, { bits, side, variant: "levels" }), bits);
            const error = meanSquaredError(seen, fakeQuantize(seen, grid));
            // 1 %: a fixed clip stops gaining, and sampling noise may then go either way.
            expect(error, `${name} ${side} ${bits} bits`).toBeLessThan(1.01 * before);
            before = error;
          }
        }
      });
    },
  },
  {
    title: "clips no tighter with more bits",
    check: (method) => {
      forEachTensor((name, statistics) => {
        for (const side of sides) {
          let before = 0;
          for (const bits of [2, 3, 4, 5, 6, 7, 8]) {
            const { low, high } = method.choose(statistics, { bits, side, variant: "levels" });
            // 5 %: searches over histograms meet rugged minima.
            expect(high - low, `${name} ${side} ${bits} bits`).toBeGreaterThan(0.95 * before);
            before = high - low;
          }
        }
      });
    },
  },
  {
    title: "scales with its tensor",
    check: (method) => {
      forEachTensor((name, statistics, values) => {
        // A power of two: nothing else than the exponents changes, so that histograms stay the same.
        for (const factor of [1024, 1 / 64]) {
          const scaled = statisticsOf(values.map((x) => factor * x), BINS); // biome-ignore format: short
          for (const request of requests) {
            const range = method.choose(statistics, request);
            const found = method.choose(scaled, request);
            expectClose(found.low, factor * range.low, factor * (range.high - range.low), name);
            expectClose(found.high, factor * range.high, factor * (range.high - range.low), name);
          }
        }
      });
    },
  },
  {
    title: "covers values far from zero around their mean",
    check: (method) => {
      const statistics = statisticsOf(farFromZero, BINS);
      for (const variant of variants) {
        const { low, high } = method.choose(statistics, { bits: 4, side: "two-sided", variant });
        expect(low).toBeLessThan(statistics.mean);
        expect(high).toBeGreaterThan(statistics.mean);
      }
    },
  },
  {
    title: "returns a constant unchanged",
    check: (method) => {
      for (const constant of [0, 3, -2.5]) {
        const values = new Float32Array(100).fill(constant);
        for (const side of sides) {
          const range = method.choose(statisticsOf(values, BINS), { bits: 4, side, variant: "levels" });
          const seen = side === "one-sided" ? Math.max(constant, 0) : constant;
          expect(fakeQuantize(new Float32Array([seen]), gridFor(range, 4))[0], `${constant} ${side}`).toBe(seen);
        }
      }
    },
  },
  {
    title: "makes a tensor without positive values all zeros when a ReLU follows",
    check: (method) => {
      const statistics = statisticsOf(laplaceSamples(COUNT, 7).map((x) => -Math.abs(x) - 0.5), BINS); // biome-ignore format: short
      const range = method.choose(statistics, { bits: 4, side: "one-sided", variant: "levels" });
      expect(range.low).toBe(0);
      expect(range.high).toBeGreaterThanOrEqual(0);
      expect(fakeQuantize(new Float32Array([0]), gridFor(range, 4))[0]).toBe(0);
    },
  },
  {
    title: "does not reach beyond a ceiling",
    check: (method) => {
      forEachTensor((name, statistics) => {
        const range = method.choose(statistics, { bits: 8, side: "one-sided", variant: "levels", ceiling: 0.5 });
        expect(range.high, name).toBeLessThanOrEqual(0.5);
        expect(range.high, name).toBeGreaterThan(0);
      });
    },
  },
  {
    title: "refuses statistics that are not finite, naming the tensor",
    check: (method) => {
      const good = statisticsOf(tensors.gauss!, BINS);
      const request = { bits: 4, side: "two-sided", variant: "levels", subject: "conv3" } as const;
      for (const [name, value] of [
        ["mean", Number.NaN],
        ["max", Infinity],
        ["standardDeviation", Number.NaN],
      ] as const) {
        // biome-ignore format: a table
        const error = thrownBy(() => method.choose({ ...good, [name]: value }, request));
        expect(error).toBeInstanceOf(DataError);
        expect((error as Error).message).toContain(`statistics of conv3 must be finite, got ${name} ${value}`);
      }
    },
  },
  {
    title: "says what it needs: a histogram or nothing but moments",
    check: (method) => {
      const { histogram: _, ...moments } = statisticsOf(tensors.gauss!, BINS);
      const request = { bits: 4, side: "two-sided", variant: "levels", subject: "conv3" } as const;
      const error = thrownBy(() => method.choose(moments, request));
      if (method.needs === "moments") expect(error).toBeUndefined();
      else
        expect((error as Error).message).toContain("statistics of conv3 must have a histogram with values, got none.");
    },
  },
];

/**
 * Runs every check on a method.
 *
 * @param exceptions Titles of checks that the method need not pass, each with the reason.
 */
export function describeRangeMethod(method: RangeMethod, exceptions: Readonly<Record<string, string>> = {}): void {
  describe(method.name, () => {
    for (const { title, check } of rangeMethodChecks) {
      const reason = exceptions[title];
      if (reason === undefined) it(title, () => check(method));
      else it.skip(`${title} (${reason})`);
    }
  });
}

function forEachTensor(visit: (name: string, statistics: Statistics, values: Float32Array) => void): void {
  for (const [name, values] of Object.entries(tensors)) visit(name, allStatistics[name]!, values);
}

function expectClose(found: number, expected: number, width: number, name: string): void {
  // Float64 rounding only.
  expect(Math.abs(found - expected) / width, `${name}: ${found}, expected ${expected}`).toBeLessThan(1e-9);
}

function thrownBy(action: () => Range): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}
