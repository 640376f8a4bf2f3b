import { describe, expect, it } from "vitest";
import { bfloat16ToNumber, halfToNumber, numberToBfloat16, numberToHalf } from "./half-float.ts";
import { seededRandom } from "./random.ts";

/** All codes of a 16-bit float whose values are not NaN. */
function codes(toNumber: (bits: number) => number): number[] {
  return Array.from({ length: 65536 }, (_, bits) => bits).filter((bits) => !Number.isNaN(toNumber(bits)));
}

describe.each([
  { name: "float16", toNumber: halfToNumber, fromNumber: numberToHalf, infinity: 0x7c00 },
  { name: "bfloat16", toNumber: bfloat16ToNumber, fromNumber: numberToBfloat16, infinity: 0x7f80 },
])("$name", ({ toNumber, fromNumber, infinity }) => {
  it("encodes every number it can hold to the bits it came from, the sign of zero included", () => {
    expect(codes(toNumber).filter((bits) => fromNumber(toNumber(bits)) !== bits)).toEqual([]);
  });

  it("keeps every NaN a NaN", () => {
    const all = Array.from({ length: 65536 }, (_, bits) => bits).filter((bits) => Number.isNaN(toNumber(bits)));
    expect(all.length).toBeGreaterThan(0);
    expect(all.every((bits) => Number.isNaN(toNumber(fromNumber(toNumber(bits)))))).toBe(true);
    expect(Number.isNaN(toNumber(fromNumber(Number.NaN)))).toBe(true);
  });

  it("grows with its bits, from zero to infinity", () => {
    const positive = Array.from({ length: infinity }, (_, i) => i + 1);
    expect(positive.filter((bits) => !(toNumber(bits) > toNumber(bits - 1)))).toEqual([]);
  });

  it("rounds halfway cases between any two neighbours to the even one, and others to the nearer one", () => {
    const positive = Array.from({ length: infinity - 1 }, (_, i) => i);
    const isRounded = (bits: number): boolean => {
      const [low, high] = [toNumber(bits), toNumber(bits + 1)];
      const middle = (low + high) / 2;
      return (
        fromNumber(middle) === (bits % 2 === 0 ? bits : bits + 1) &&
        fromNumber(-middle) === (0x8000 | fromNumber(middle)) &&
        // A float32 has 13 and 16 bits more, so that quarter steps are exact.
        fromNumber(low + (high - low) / 4) === bits &&
        fromNumber(low + (3 * (high - low)) / 4) === bits + 1
      );
    };
    expect(positive.filter((bits) => !isRounded(bits))).toEqual([]);
  });

  it("is the nearest of all for random numbers of every size", () => {
    const random = seededRandom(7);
    for (let i = 0; i < 2000; i++) {
      const x = Math.fround(random.normal() * 2 ** (random.integer(30) - 15));
      const bits = fromNumber(x) & 0x7fff;
      const error = Math.abs(Math.abs(x) - toNumber(bits));
      expect(error).toBeLessThanOrEqual(Math.abs(Math.abs(x) - toNumber(bits + 1)));
      if (bits > 0) expect(error).toBeLessThanOrEqual(Math.abs(Math.abs(x) - toNumber(bits - 1)));
    }
  });
});

describe("known values", () => {
  // IEEE 754-2019, table 3.5 (binary16): largest, smallest normal, smallest subnormal.
  it.each([
    [0x3c00, 1],
    [0xc000, -2],
    [0x7bff, 65504],
    [0x0400, 2 ** -14],
    [0x0001, 2 ** -24],
    [0x3555, 0.333251953125],
    [0x7c00, Number.POSITIVE_INFINITY],
  ])("of float16: bits %i are %d", (bits, x) => {
    expect(halfToNumber(bits)).toBe(x);
    expect(numberToHalf(x)).toBe(bits);
  });

  it("of float16: 65520 and beyond are infinite, 65519 is not", () => {
    expect(numberToHalf(65520)).toBe(0x7c00);
    expect(numberToHalf(65519)).toBe(0x7bff);
    expect(numberToHalf(-1e30)).toBe(0xfc00);
    expect(numberToHalf(2 ** -25)).toBe(0);
    expect(numberToHalf(1.01 * 2 ** -25)).toBe(1);
  });

  it.each([
    [0x3f80, 1],
    [0x4049, 3.140625],
    [0x7f7f, 3.3895313892515355e38],
    [0x0001, 2 ** -133],
  ])("of bfloat16: bits %i are %d", (bits, x) => {
    expect(bfloat16ToNumber(bits)).toBe(x);
    expect(numberToBfloat16(x)).toBe(bits);
  });
});
