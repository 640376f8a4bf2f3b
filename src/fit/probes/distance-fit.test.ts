import { describe, expect, it } from "vitest";
import { distanceFit } from "./distance-fit.ts";

const steps = Array.from({ length: 12 }, (_, i) => 2 ** i);
const records = (law: (step: number) => number) => steps.map((step) => ({ step, distance: law(step) }));

describe("distanceFit", () => {
  it("finds the law that distances follow, and its numbers", () => {
    const log = distanceFit(records((t) => 1.5 + 2.5 * Math.log(t)));
    expect(log.log.intercept).toBeCloseTo(1.5, 10);
    expect(log.log.slope).toBeCloseTo(2.5, 10);
    expect(log.log.r2).toBeCloseTo(1, 12);
    expect(Math.max(log.sqrt.r2, log.power.r2)).toBeLessThan(0.99);
    const root = distanceFit(records((t) => 0.5 + 3 * Math.sqrt(t)));
    expect(root.sqrt.slope).toBeCloseTo(3, 10);
    expect(root.sqrt.r2).toBeGreaterThan(Math.max(root.log.r2, root.power.r2));
    const power = distanceFit(records((t) => 0.7 * t ** 0.3));
    expect(power.power.scale).toBeCloseTo(0.7, 5);
    expect(power.power.exponent).toBeCloseTo(0.3, 5);
    expect(power.power.r2).toBeCloseTo(1, 9);
    expect(power.power.r2).toBeGreaterThan(Math.max(power.log.r2, power.sqrt.r2));
  });

  it("leaves out the first steps, and says when too few are left", () => {
    const wild = records((t) => (t < 8 ? 100 : Math.log(t)));
    expect(distanceFit(wild)).toMatchObject({ count: 9, log: { r2: expect.closeTo(1, 10) } });
    expect(distanceFit(wild, 1).log.r2).toBeLessThan(0.9);
    expect(() => distanceFit(wild, 1024)).toThrow(
      "distanceFit: there must be at least three records from step 1024 on, of several steps, got 2.",
    );
  });
});
