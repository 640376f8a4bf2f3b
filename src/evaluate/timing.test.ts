import { expect, test } from "vitest";
import { quantile, timeAlternately } from "./timing.ts";

test("quantiles are interpolated between neighbours", () => {
  const numbers = Float64Array.of(4, 1, 3, 2);
  expect([0, 0.5, 0.95, 1].map((fraction) => quantile(numbers, fraction))).toEqual([1, 2.5, 3.8499999999999996, 4]);
  expect(quantile(Float64Array.of(7), 0.95)).toBe(7);
  expect(quantile(new Float64Array(0), 0.5)).toBeNaN();
});

test("tasks run in turn after the warm-up, at least the fewest runs, at most the most", async () => {
  const order: string[] = [];
  const task = (name: string) => async () => {
    order.push(name);
    await new Promise((resolve) => setTimeout(resolve, 3));
  };
  const limits = { warmupRuns: 1, minRuns: 7, maxRuns: 9, seconds: 0.02 };
  const durations = await timeAlternately([task("a"), task("b")], limits);
  expect(durations.map((runs) => runs.length)).toEqual([7, 7]);
  expect(order.join("")).toBe("ab".repeat(8));
  const most = await timeAlternately([task("a")], { ...limits, seconds: 10 });
  expect(most[0]!.length).toBe(9);
});

test("slow tasks end early, but not before there is a median", async () => {
  const slow = () => new Promise((resolve) => setTimeout(resolve, 10));
  const [runs] = await timeAlternately([slow], { warmupRuns: 0, minRuns: 1000, maxRuns: 1000, seconds: 0.001 });
  expect(runs!.length).toBe(5);
});
