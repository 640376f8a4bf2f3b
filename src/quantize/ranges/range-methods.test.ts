import { describe, expect, it } from "vitest";
import { gridFor } from "../grid.ts";
import { measuredMse } from "../measured-error.ts";
import { exponentialSamples, gaussSamples, laplaceSamples } from "../samples.cases.ts";
import { statisticsOf } from "../statistics.ts";
import { rangeMethods } from "./index.ts";
import { minMax } from "./min-max.ts";
import { describeRangeMethod, rangeMethodChecks } from "./range-method.cases.ts";
import type { RangeMethod, RangeRequest } from "./range-method.ts";

const RUGGED = "compares shapes, not errors, and has a rugged minimum on few samples";
const exceptions: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  kl: { "errs less with more bits": RUGGED, "clips no tighter with more bits": RUGGED },
};

for (const method of Object.values(rangeMethods)) describeRangeMethod(method, exceptions[method.name]);

describe("rangeMethods", () => {
  it("registers each method under its own name, with a line for --help", () => {
    for (const [name, method] of Object.entries(rangeMethods)) {
      expect(method.name).toBe(name);
      expect(method.summary.length).toBeGreaterThan(10);
    }
  });
});

describe("mse as a yardstick", () => {
  const tensors = [laplaceSamples(5000, 11), gaussSamples(5000, 12), exponentialSamples(5000, 13).map((x) => x - 1)];

  it("is at least as good as every other method on the calibration data", () => {
    for (const values of tensors) {
      const statistics = statisticsOf(values, { histogramBins: 2048 });
      for (const side of ["two-sided", "one-sided"] as const) {
        for (const bits of [2, 4, 8]) {
          const request: RangeRequest = { bits, side, variant: "levels" };
          const errorOf = (method: RangeMethod): number =>
            measuredMse(statistics.histogram!, gridFor(method.choose(statistics, request), bits), request);
          const least = errorOf(rangeMethods.mse);
          for (const method of Object.values(rangeMethods)) {
            // By construction for the ACIQ methods and min-max; 1 % for the others, whose ranges are not tried themselves.
            expect(least, `${method.name} ${side} ${bits}`).toBeLessThan(1.01 * errorOf(method));
          }
        }
      }
    }
  });
});

describe("the shared suite", () => {
  const wrong: readonly (readonly [string, string, Partial<RangeMethod>])[] = [
    ["a range upside down", "gives finite, ordered ranges", { choose: ({ min, max }) => ({ low: max, high: min }) }],
    ["an infinite range", "gives finite, ordered ranges", { choose: () => ({ low: 0, high: Infinity }) }],
    ["a range beyond the data", "never reaches beyond", { choose: ({ min, max }) => ({ low: 2 * min, high: 2 * max }) }],
    ["a fixed range", "scales with its tensor", { choose: () => ({ low: 0, high: 0.01 }) }],
    ["a clip that tightens with bits", "clips no tighter", { choose: ({ max }, { bits }) => ({ low: 0, high: max / bits ** 3 }) }],
    ["a clip that tightens with bits", "errs less", { choose: ({ max }, { bits }) => ({ low: 0, high: max / 8 ** bits }) }],
    ["a window that always includes zero only", "covers values far", { choose: ({ min }) => ({ low: 0, high: min / 2 }) }],
    ["a constant rounded to steps", "returns a constant", { choose: ({ min, max }) => ({ low: min - 0.3, high: max + 1 }) }],
    ["a negative one-sided range", "makes a tensor without positive", { choose: ({ min, max }) => ({ low: min, high: max }) }],
    ["a ceiling overlooked", "does not reach beyond a ceiling", { choose: ({ max }) => ({ low: 0, high: max }) }],
    ["NaN let through", "refuses statistics", { choose: () => ({ low: 0, high: 1 }) }],
    ["a need not declared", "says what it needs", { choose: ({ histogram }) => ({ low: histogram!.low, high: histogram!.high }) }],
    ["a need not true", "says what it needs", { needs: "histogram" }],
  ]; // biome-ignore format: a table

  for (const [what, title, change] of wrong) {
    it(`notices ${what}: "${title} ..."`, () => {
      const { check } = rangeMethodChecks.find((candidate) => candidate.title.startsWith(title))!;
      expect(() => check(minMax)).not.toThrow();
      expect(() => check({ ...minMax, ...change })).toThrow();
    });
  }
});
