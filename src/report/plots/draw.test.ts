import { expect, test, vi } from "vitest";
import { page } from "../page.ts";
import { histogramPlot, rebin } from "./histogram-plot.ts";

vi.mock("@observablehq/plot", () => {
  throw new Error("the plotting library was loaded");
});

test("the plotting library is loaded by the first plot, not by importing reports or by pages without plots", async () => {
  await import("../index.ts");
  expect(page({ title: "t", sections: [], footer: [] })).toContain("<h1>t</h1>");
  const histogram = { low: 0, high: 1, counts: Float64Array.of(1) };
  await expect(histogramPlot({ name: "a", histogram, clipLow: 0, clipHigh: 1 })).rejects.toThrow(/mocking|was loaded/);
});

test("joined bins keep every count, and the last one ends where the histogram does", () => {
  const counts = Float64Array.from({ length: 1000 }, (_, i) => i);
  const bins = rebin({ low: -1, high: 1, counts }, 96);
  expect(bins.length).toBeLessThanOrEqual(96);
  expect(bins.reduce((sum, { count }) => sum + count, 0)).toBe((999 * 1000) / 2);
  expect([bins[0]!.from, bins.at(-1)!.to]).toEqual([-1, 1]);
});
