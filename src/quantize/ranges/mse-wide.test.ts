import { describe, expect, it } from "vitest";
import { gridFor } from "../grid.ts";
import { measuredMse } from "../measured-error.ts";
import { fakeQuantize } from "../quantize-values.ts";
import { exponentialSamples, laplaceSamples } from "../samples.cases.ts";
import { type Statistics, statisticsOf } from "../statistics.ts";
import { mse } from "./mse.ts";
import { mseWide } from "./mse-wide.ts";
import type { RangeRequest } from "./range-method.ts";

const REQUEST: RangeRequest = { bits: 8, side: "two-sided", variant: "levels" };
const statistics = (values: Float32Array): Statistics => statisticsOf(values, { histogramBins: 2048 });

describe("mse-wide", () => {
  it.each(["two-sided", "one-sided"] as const)("widens %s ranges to 1.3 times the least squared error", (side) => {
    const request = { ...REQUEST, side };
    const found = statistics(side === "one-sided" ? exponentialSamples(200_000, 1) : laplaceSamples(200_000, 1));
    const [least, wide] = [mse.choose(found, request), mseWide.choose(found, request)];
    expect(wide.high).toBeGreaterThan(1.05 * least.high);
    expect(wide.low).toBeLessThanOrEqual(least.low);
    const [leastError, error] = [least, wide].map((range) =>
      measuredMse(found.histogram!, gridFor(range, 8), request),
    ) as [number, number];
    expect(error / leastError).toBeGreaterThan(1.1);
    expect(error / leastError).toBeLessThanOrEqual(1.3);
  });

  it("is mse with fewer bits, which has no steps to spare", () => {
    const found = statistics(laplaceSamples(5000, 3));
    const request = { ...REQUEST, bits: 4 };
    expect(mseWide.choose(found, request)).toEqual(mse.choose(found, request));
  });

  it("keeps everything where that costs next to nothing", () => {
    const even = Float32Array.from({ length: 5000 }, (_, i) => i / 2500 - 1);
    expect(mseWide.choose(statistics(even), REQUEST)).toEqual({ low: even[0], high: even.at(-1) });
  });

  it("leaves sums of many values closer than mse does: errors of clipping add up", () => {
    const values = exponentialSamples(100_000, 2);
    const found = statistics(values);
    const errorOfSums = (method: typeof mse): number => {
      const rounded = fakeQuantize(values, gridFor(method.choose(found, { ...REQUEST, side: "one-sided" }), 8));
      let total = 0;
      for (let start = 0; start < values.length; start += 500) {
        let sum = 0;
        for (let i = start; i < start + 500; i++) sum += rounded[i]! - values[i]!;
        total += sum * sum;
      }
      return total;
    };
    expect(errorOfSums(mseWide)).toBeLessThan(errorOfSums(mse));
  });
});
