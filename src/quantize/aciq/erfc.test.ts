import { describe, expect, it } from "vitest";
import { erfc } from "./erfc.ts";

// Published values (Abramowitz, Stegun, table 7.1; Wolfram Alpha for the far tail).
const published: readonly (readonly [number, number])[] = [
  [0, 1],
  [0.1, 0.8875370839817152],
  [0.5, 0.4795001221869535],
  [1, 0.15729920705028513],
  [1.5, 0.033894853524689274],
  [2, 0.004677734981047266],
  [3, 2.209049699858544e-5],
  [5, 1.537459794428035e-12],
  [10, 2.088487583762545e-45],
];

describe("erfc", () => {
  it("agrees with published values to 1e-12 relative", () => {
    for (const [x, value] of published) expect(Math.abs(erfc(x) / value - 1), `x = ${x}`).toBeLessThan(1e-12);
  });

  it("is 2 - erfc(-x) for negative arguments", () => {
    for (const x of [0.3, 1.7, 2.5]) expect(erfc(-x)).toBeCloseTo(2 - erfc(x), 15);
  });

  it("is smooth where it changes method: its slope there is -2/sqrt(pi) exp(-4)", () => {
    const h = 1e-5;
    const slope = (erfc(2 + h) - erfc(2 - h)) / (2 * h);
    // Central difference: error h^2 plus rounding 1e-16 / h.
    expect(slope).toBeCloseTo((-2 / Math.sqrt(Math.PI)) * Math.exp(-4), 9);
  });

  it("falls to 0 far out", () => {
    expect(erfc(30)).toBe(0);
    expect(erfc(-30)).toBe(2);
  });
});
