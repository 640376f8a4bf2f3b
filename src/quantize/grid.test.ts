import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { roundHalfEven } from "../tensor/index.ts";
import { constantGrid, deployableGrid, gridFor, gridRange, highestCode, MINIMUM_SCALE, symmetricGrid } from "./grid.ts";
import { fakeQuantize, quantize } from "./quantize-values.ts";

const anyRange = fc
  .tuple(fc.float({ min: -1000, max: 1000, noNaN: true }), fc.float({ min: Math.fround(1e-3), max: 1000, noNaN: true }))
  .map(([low, width]) => ({ low, high: low + width }));
const anyBits = fc.integer({ min: 1, max: 8 });

describe("gridFor", () => {
  it("follows GEMMLOWP: scale = range / (2^M - 1), zero point = round(-low / scale)", () => {
    // -1 .. 2 at 4 bits: steps of 0.2, zero at code 5.
    const grid = gridFor({ low: -1, high: 2 }, 4);
    expect(grid.scale).toBe(Math.fround(0.2));
    expect([grid.zeroPoint, grid.lowestCode, highestCode(grid)]).toEqual([5, 0, 15]);
  });

  it("does not clamp the zero point: a range away from zero keeps its resolution", () => {
    const grid = gridFor({ low: 10, high: 11.5 }, 4);
    expect(grid.scale).toBe(Math.fround(0.1));
    expect(grid.zeroPoint).toBe(-100);
    expect(gridRange(grid).low).toBeCloseTo(10, 5);
    expect(gridRange(grid).high).toBeCloseTo(11.5, 5);
  });

  it("moves the window by at most half a step", () => {
    fc.assert(
      fc.property(anyRange, anyBits, (range, bits) => {
        const grid = gridFor(range, bits);
        const { low, high } = gridRange(grid);
        // Beyond half a step only by float32 rounding of the scale, which the distance from zero multiplies.
        const slack = grid.scale * 0.5 + Math.max(Math.abs(range.low), Math.abs(range.high)) * 2 ** -23;
        expect(Math.abs(low - range.low)).toBeLessThanOrEqual(slack);
        expect(Math.abs(high - range.high)).toBeLessThanOrEqual(slack);
      }),
    );
  });

  it("maps zero to exactly zero whenever zero is within the codes", () => {
    for (let zeroPoint = 0; zeroPoint <= 15; zeroPoint++) {
      for (const scale of [0.1, 1 / 3, 1e-8, 7e5]) {
        const grid = { bits: 4, scale: Math.fround(scale), zeroPoint, lowestCode: 0 };
        expect(Object.is(fakeQuantize(new Float32Array([0]), grid)[0], 0), `zero point ${zeroPoint}`).toBe(true);
        expect(quantize(new Float32Array([0]), grid)[0]).toBe(zeroPoint);
      }
    }
  });

  it("is idempotent: Q(Q(x)) = Q(x)", () => {
    const values = fc.array(fc.float({ min: -2000, max: 2000, noNaN: true }), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(anyRange, anyBits, values, (range, bits, numbers) => {
        const grid = gridFor(range, bits);
        // A float32 number has 24 bits: further than 2^22 steps from zero it cannot tell one step from the next.
        fc.pre(Math.abs(grid.zeroPoint) + 2 ** bits < 2 ** 22);
        const once = fakeQuantize(new Float32Array(numbers), grid);
        expect(fakeQuantize(once, grid)).toEqual(once);
      }),
    );
  });

  it("returns a constant unchanged", () => {
    for (const constant of [0, 5, -5, Math.fround(0.3), Math.fround(-1e-5), 1e20]) {
      const grid = gridFor({ low: constant, high: constant }, 4);
      expect(fakeQuantize(new Float32Array([constant]), grid)[0]).toBe(Math.fround(constant));
    }
  });

  it("never has a scale below 1e-8", () => {
    expect(gridFor({ low: 0, high: 0 }, 8).scale).toBe(MINIMUM_SCALE);
    expect(gridFor({ low: 0, high: 1e-12 }, 8).scale).toBe(MINIMUM_SCALE);
  });

  it("refuses impossible bits and ranges", () => {
    expect(() => gridFor({ low: 0, high: 1 }, 0)).toThrow(
      "quantize: bits of a grid must be an integer from 1 to 16, got 0.",
    );
    expect(() => gridFor({ low: 0, high: 1 }, 4.5)).toThrow("got 4.5");
    expect(() => gridFor({ low: 1, high: 0 }, 4)).toThrow("quantize: a range must be finite and ordered, got [1, 0].");
    expect(() => gridFor({ low: Number.NaN, high: 0 }, 4)).toThrow("got [NaN, 0]");
    expect(() => deployableGrid({ low: 0, high: Number.POSITIVE_INFINITY }, 4)).toThrow("got [0, Infinity]");
  });
});

describe("deployableGrid", () => {
  it("includes zero, and its zero point lies within the codes, whatever the range", () => {
    fc.assert(
      fc.property(anyRange, anyBits, (range, bits) => {
        const grid = deployableGrid(range, bits);
        expect(grid.zeroPoint).toBeGreaterThanOrEqual(0);
        expect(grid.zeroPoint).toBeLessThanOrEqual(2 ** bits - 1);
        expect(fakeQuantize(new Float32Array([0]), grid)[0]).toBe(0);
      }),
    );
  });

  it("equals gridFor where the range includes zero", () => {
    expect(deployableGrid({ low: -1, high: 3 }, 8)).toEqual(gridFor({ low: -1, high: 3 }, 8));
  });
});

describe("symmetricGrid", () => {
  it("has zero point 0, and the largest magnitude at the largest code, on both sides", () => {
    const grid = symmetricGrid(1.4, 4);
    expect([grid.zeroPoint, grid.lowestCode, highestCode(grid)]).toEqual([0, -8, 7]);
    expect(Array.from(quantize(new Float32Array([1.4, -1.4, 0, 0.2]), grid))).toEqual([7, -7, 0, 1]);
  });

  it("lets clipped negative weights take the lowest code", () => {
    expect(Array.from(quantize(new Float32Array([-9, 9]), symmetricGrid(0.7, 4)))).toEqual([-8, 7]);
    expect(Array.from(quantize(new Float32Array([-9, 9]), symmetricGrid(0.7, 8)))).toEqual([-128, 127]);
  });

  it("refuses a single bit and magnitudes that are not finite", () => {
    expect(() => symmetricGrid(1, 1)).toThrow("symmetricGrid: bits must be at least 2, got 1.");
    expect(() => symmetricGrid(Number.NaN, 4)).toThrow("symmetricGrid: the largest magnitude must be a finite number");
  });
});

describe("roundHalfEven", () => {
  it("rounds ties to the even integer and everything else to the nearest, never to -0", () => {
    const cases = [[0.5, 0], [1.5, 2], [2.5, 2], [-0.5, 0], [-1.5, -2], [0.49999999999999994, 0], [-0.3, 0], [1e15 + 0.5, 1e15], [2 ** 53, 2 ** 53]] as const; // biome-ignore format: a table
    for (const [x, expected] of cases) expect(Object.is(roundHalfEven(x), expected), `${x}`).toBe(true);
  });
});

describe("constantGrid", () => {
  it("has one number, in any float32 sign and size, and rounds everything to it", () => {
    for (const value of [0.3, -2.5, 0, 1e6]) {
      const grid = constantGrid(Math.fround(value));
      expect(grid.bits).toBe(0);
      expect(highestCode(grid)).toBe(grid.lowestCode);
      expect([...fakeQuantize(Float32Array.of(-9, 0, value, 9), grid)]).toEqual(new Array(4).fill(Math.fround(value)));
    }
  });
});
