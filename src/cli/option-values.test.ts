import { describe, expect, it } from "vitest";
import { numberList, pictureSize, positiveNumber, wholeNumber } from "./option-values.ts";

describe("values of options", () => {
  it("reads bits from 2 to 8, or 16, and nothing else", () => {
    const bits = wholeNumber(2, 8, [16]);
    expect([bits("2"), bits("8"), bits("16")]).toEqual([2, 8, 16]);
    for (const text of ["1", "9", "4.5", "", " ", "four", "-4", "1e3"]) {
      expect(() => bits(text)).toThrow("It must be a whole number from 2 to 8 or 16.");
    }
  });

  it("reads lists of numbers", () => {
    expect(numberList("0.485,0.456,0.406")).toEqual([0.485, 0.456, 0.406]);
    expect(numberList("-1")).toEqual([-1]);
    for (const text of ["", "1,", "1;2", "NaN", "Infinity"]) {
      expect(() => numberList(text)).toThrow("It must be numbers separated by commas.");
    }
  });

  it("reads sizes of pictures", () => {
    expect(pictureSize("256")).toBe(256);
    expect(pictureSize("240,320")).toEqual([240, 320]);
    expect(pictureSize("none")).toBe("none");
    for (const text of ["", "0", "1.5", "1,2,3", "big"]) expect(() => pictureSize(text)).toThrow("It must be a length");
  });

  it("reads factors above zero", () => {
    expect(positiveNumber("0.5")).toBe(0.5);
    for (const text of ["0", "-1", "", "x", "Infinity"]) expect(() => positiveNumber(text)).toThrow("above zero");
  });
});
