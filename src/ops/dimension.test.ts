import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Dimension } from "../program/index.ts";
import {
  addDimensions,
  divideDimensions,
  multiplyDimensions,
  productOf,
  substitute,
  subtractDimensions,
} from "./dimension.ts";

function apply(operator: "+" | "-" | "*" | "/", a: Dimension, b: Dimension): Dimension {
  if (operator === "+") return addDimensions(a, b);
  if (operator === "-") return subtractDimensions(a, b);
  return operator === "*" ? multiplyDimensions(a, b) : divideDimensions(a, b);
}

describe("dimensions", () => {
  it("are written in one form, whatever the order of computation", () => {
    const a = addDimensions(multiplyDimensions("width", 3), multiplyDimensions("height", "width"));
    const b = multiplyDimensions("width", addDimensions("height", 3));
    expect(a).toBe(b);
    expect(a).toBe("height*width + 3*width");
  });

  it("become numbers again when the symbols cancel", () => {
    expect(subtractDimensions(addDimensions("batch", 5), "batch")).toBe(5);
    expect(divideDimensions(productOf(["batch", 256, 6, 6]), "batch")).toBe(9216);
    expect(divideDimensions("a - b", "a - b")).toBe(1);
  });

  it("are unknown where division has a remainder or a term is unknown", () => {
    expect(divideDimensions("batch", 2)).toBeNull();
    expect(divideDimensions("batch + 1", "batch")).toBeNull();
    expect(divideDimensions(4, 0)).toBeNull();
    expect(addDimensions(null, 1)).toBeNull();
    expect(multiplyDimensions("batch", 0.5)).toBeNull();
  });

  it("with names that are no expressions can only be compared", () => {
    expect(addDimensions("floor(h/2)", 1)).toBeNull();
    expect(subtractDimensions("floor(h/2)", "floor(h/2)")).toBe(0);
    expect(multiplyDimensions("floor(h/2)", 1)).toBe("floor(h/2)");
    expect(substitute("floor(h/2)", new Map([["h", 4]]))).toBe("floor(h/2)");
  });

  it("agree with arithmetic on numbers for every value of their symbols", () => {
    const leaf = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constantFrom("a", "b", "c"));
    const operation = fc.constantFrom("+", "-", "*", "/" as const);
    const steps = fc.array(fc.tuple(operation, leaf), { maxLength: 6 });
    const values = fc.record({
      a: fc.integer({ min: 1, max: 20 }),
      b: fc.integer({ min: 1, max: 20 }),
      c: fc.integer({ min: 1, max: 20 }),
    });
    fc.assert(
      fc.property(leaf, steps, values, (start, rest, lengths) => {
        const symbols = new Map(Object.entries(lengths));
        let symbolic: Dimension = start;
        let number: Dimension = substitute(start, symbols);
        for (const [operator, operand] of rest) {
          symbolic = apply(operator, symbolic, operand);
          number = apply(operator, number, substitute(operand, symbols));
        }
        if (symbolic === null) return;
        // Adding 0 makes -0 and 0 one.
        expect((substitute(symbolic, symbols) as number) + 0).toBe((number as number) + 0);
      }),
    );
  });
});
