/**
 * Arithmetic on dimensions: numbers, symbols, and sums of products of symbols written as text (`2*batch + 1`).
 *
 * A dimension name that reads as such a sum is taken as one; any other name is a symbol one can only compare. Results that
 * cannot be expressed are null: unknown, never wrong.
 */
import type { Dimension } from "../program/index.ts";

/** Coefficient of each product of symbols; the product's key lists its symbols in order, "" is the constant term. */
type Polynomial = ReadonlyMap<string, number>;

const SYMBOL = /^[A-Za-z_][\w.:]*$/;

/** Returns a + b. */
export function addDimensions(a: Dimension, b: Dimension): Dimension {
  if (typeof a === "number" && typeof b === "number") return a + b;
  return combine(a, b, (x, y) => sum(x, y, 1));
}

/** Returns a - b. */
export function subtractDimensions(a: Dimension, b: Dimension): Dimension {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (a !== null && a === b) return 0;
  return combine(a, b, (x, y) => sum(x, y, -1));
}

/** Returns a * b. */
export function multiplyDimensions(a: Dimension, b: Dimension): Dimension {
  if (typeof a === "number" && typeof b === "number") return a * b;
  if (a === 1) return b;
  if (b === 1) return a;
  return combine(a, b, product);
}

/** Returns a / b where it is exact for every value of the symbols, else null. Two numbers are divided as integers, towards 0. */
export function divideDimensions(a: Dimension, b: Dimension): Dimension {
  if (b === 0) return null;
  if (typeof a === "number" && typeof b === "number") return Math.trunc(a / b);
  if (b === 1) return a;
  if (a !== null && a === b) return 1;
  return combine(a, b, quotient);
}

/** Returns the product of all dimensions; 1 for none. */
export function productOf(dimensions: readonly Dimension[]): Dimension {
  return dimensions.reduce(multiplyDimensions, 1);
}

/** Returns whether two dimensions are known to differ: two different numbers. */
export function dimensionsDiffer(a: Dimension, b: Dimension): boolean {
  return typeof a === "number" && typeof b === "number" && a !== b;
}

/** Returns a dimension with symbols replaced by numbers. */
export function substitute(dimension: Dimension, symbols: ReadonlyMap<string, number>): Dimension {
  if (typeof dimension !== "string" || symbols.size === 0) return dimension;
  const whole = symbols.get(dimension);
  if (whole !== undefined) return whole;
  const terms = parse(dimension);
  if (!terms) return dimension;
  let result: Dimension = 0;
  for (const [key, coefficient] of terms) {
    const factors = symbolsOf(key).map((symbol) => symbols.get(symbol) ?? symbol);
    result = addDimensions(result, multiplyDimensions(coefficient, productOf(factors)));
  }
  return result;
}

function combine(
  a: Dimension,
  b: Dimension,
  operation: (x: Polynomial, y: Polynomial) => Polynomial | undefined,
): Dimension {
  const x = parse(a);
  const y = parse(b);
  const result = x && y && operation(x, y);
  return result ? format(result) : null;
}

function sum(x: Polynomial, y: Polynomial, sign: 1 | -1): Polynomial {
  const result = new Map(x);
  for (const [key, coefficient] of y) result.set(key, (result.get(key) ?? 0) + sign * coefficient);
  return result;
}

function product(x: Polynomial, y: Polynomial): Polynomial {
  const result = new Map<string, number>();
  for (const [a, p] of x) {
    for (const [b, q] of y) {
      const key = [...symbolsOf(a), ...symbolsOf(b)].sort().join("*");
      result.set(key, (result.get(key) ?? 0) + p * q);
    }
  }
  return result;
}

/** Division by a single term; undefined when a term of x is not a multiple of it. */
function quotient(x: Polynomial, y: Polynomial): Polynomial | undefined {
  const divisor = [...y].filter(([, coefficient]) => coefficient !== 0);
  if (divisor.length !== 1) return undefined;
  const [divisorKey, divisorCoefficient] = divisor[0]!;
  const result = new Map<string, number>();
  for (const [key, coefficient] of x) {
    const rest = symbolsOf(key);
    for (const symbol of symbolsOf(divisorKey)) {
      const at = rest.indexOf(symbol);
      if (at < 0) return undefined;
      rest.splice(at, 1);
    }
    if (!Number.isInteger(coefficient / divisorCoefficient)) return undefined;
    result.set(rest.join("*"), coefficient / divisorCoefficient);
  }
  return result;
}

function symbolsOf(key: string): string[] {
  return key === "" ? [] : key.split("*");
}

function parse(dimension: Dimension): Polynomial | undefined {
  if (dimension === null) return undefined;
  if (typeof dimension === "number") return Number.isInteger(dimension) ? new Map([["", dimension]]) : undefined;
  if (dimension.trim() === "") return undefined;
  let result: Polynomial = new Map();
  for (const [, sign, text] of dimension.matchAll(/([+-]?)([^+-]*)/g)) {
    if (!sign && !text) continue;
    let coefficient = 1;
    const symbols: string[] = [];
    for (const factor of text!.split("*").map((part) => part.trim())) {
      if (/^\d+$/.test(factor)) coefficient *= Number(factor);
      else if (SYMBOL.test(factor)) symbols.push(factor);
      else return undefined;
    }
    result = sum(result, new Map([[symbols.sort().join("*"), coefficient]]), sign === "-" ? -1 : 1);
  }
  return result;
}

/** Writes a polynomial in its one canonical form, so that equal ones are equal strings. */
function format(polynomial: Polynomial): Dimension {
  const terms = [...polynomial].filter(([, coefficient]) => coefficient !== 0);
  if (terms.length === 0) return 0;
  if (terms.length === 1 && terms[0]![0] === "") return terms[0]![1];
  terms.sort(
    ([a, p], [b, q]) => Number(p < 0) - Number(q < 0) || Number(a === "") - Number(b === "") || (a < b ? -1 : 1),
  );
  return terms
    .map(([key, coefficient], index) => {
      const size = Math.abs(coefficient);
      const text = key === "" ? `${size}` : size === 1 ? key : `${size}*${key}`;
      if (index === 0) return coefficient < 0 ? `-${text}` : text;
      return coefficient < 0 ? ` - ${text}` : ` + ${text}`;
    })
    .join("");
}
