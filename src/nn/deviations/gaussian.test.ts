import { describe, expect, it } from "vitest";
import { seededRandom } from "../../tensor/index.ts";
import { expectedLargest, expectedRange, normalMoment } from "./gaussian.ts";
import { largest } from "./largest.ts";
import { meanPower } from "./mean-power.ts";
import { range } from "./range.ts";

describe("what deviations are of normal numbers", () => {
  it.each([
    [1, 0.79788],
    [1.5, 0.86004],
    [2, 1],
    [3, 1.59577],
    [4, 3],
  ])("E|z|^%d is %d", (p, expected) => {
    expect(normalMoment(p)).toBeCloseTo(expected, 5);
    expect(meanPower(p).constant(100, "exact")).toBeCloseTo(expected ** (-1 / p), 4);
  });

  it("makes the mean of a million magnitudes 1 with L1's constant", () => {
    const random = seededRandom(1);
    let sum = 0;
    for (let i = 0; i < 1e6; i++) sum += Math.abs(random.normal());
    // The mean of 1e6 magnitudes of deviation 0.6 is off by 0.0006; three of them.
    expect(Math.abs((meanPower(1).constant(100, "reference")! * sum) / 1e6 - 1)).toBeLessThan(0.002);
  });

  // Norm matters, section 3: n, E max |z|, what the reference constant makes of it, the same for the 10 largest.
  it.each([
    [64, 2.596, 1.389, 1.848, 0.989],
    [256, 3.044, 1.411, 2.41, 1.117],
    [1024, 3.442, 1.427, 2.882, 1.195],
    [4096, 3.802, 1.439, 3.291, 1.245],
    [16384, 4.134, 1.448, 3.666, 1.285],
    [65536, 4.443, 1.456, 3.99, 1.31],
  ])("the largest of %d magnitudes agree with the table", (n, first, byReference, ten, tenByReference) => {
    // The table was simulated; the approximation is right to 0.4 %: together 1 %.
    const within = (value: number, expected: number) => expect(Math.abs(value / expected - 1)).toBeLessThan(0.01);
    within(expectedLargest(n, 1), first);
    within(expectedLargest(n, 10), ten);
    within(largest(1).constant(n, "reference")! * first, byReference);
    within(largest(10).constant(n, "reference")! * ten, tenByReference);
    within(largest(1).constant(n, "exact")! * first, 1);
    within(largest(10).constant(n, "exact")! * ten, 1);
  });

  // Scalable methods for 8-bit training: n, E range, and what the constants make of it.
  it.each([
    [16, 3.532, 1.5, 0.81],
    [256, 5.654, 1.698, 0.917],
    [4096, 7.252, 1.778, 0.961],
    [1e6, 9.726, 1.85, 0.9995],
  ])("the range of %d numbers agrees with the table", (n, expected, byPaper, byReference) => {
    const within = (value: number, target: number) => expect(Math.abs(value / target - 1)).toBeLessThan(0.006);
    within(expectedRange(n), expected);
    within(range().constant(n, "exact")! * expected, 1);
    within(range().constant(n, "paper")! * expected, byPaper);
    within(range().constant(n, "reference")! * expected, byReference);
    expect(range(4).constant(4 * n, "exact")).toBe(range().constant(n, "exact"));
  });
});
