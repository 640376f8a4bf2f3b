import { describe, expect, it } from "vitest";
import { lambertW0 } from "./lambert-w.ts";

describe("lambertW0", () => {
  it("satisfies y exp(y) = 3 * 4^M for M = 0 .. 16", () => {
    // Tolerance 1e-10 relative: the specification's.
    for (let bits = 0; bits <= 16; bits += 0.25) {
      const k = 3 * 4 ** bits;
      const y = lambertW0(k);
      expect(Math.abs((y * Math.exp(y)) / k - 1), `M = ${bits}`).toBeLessThan(1e-10);
    }
  });

  it("satisfies its identity from 1e-12 to 1e25, across the change of method at 3", () => {
    for (let exponent = -12; exponent <= 25; exponent += 0.01) {
      const k = 10 ** exponent;
      const y = lambertW0(k);
      expect(Math.abs((y * Math.exp(y)) / k - 1), `k = ${k}`).toBeLessThan(1e-12);
    }
  });

  it("gives 0 at 0, 1 at e and the omega constant at 1", () => {
    expect(lambertW0(0)).toBe(0);
    expect(lambertW0(Math.E)).toBeCloseTo(1, 14);
    expect(lambertW0(1)).toBeCloseTo(0.5671432904097838, 14);
  });

  it("refuses arguments it is not defined for", () => {
    expect(() => lambertW0(-0.1)).toThrow("lambertW0: k must be a finite number of at least 0, got -0.1.");
    expect(() => lambertW0(Number.NaN)).toThrow("got NaN");
  });
});
