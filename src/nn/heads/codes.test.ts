import { describe, expect, it } from "vitest";
import { OptionError } from "../../errors.ts";
import { float32, seededRandom } from "../../tensor/index.ts";
import type { ClassCode } from "./class-code.ts";
import { fastWalshHadamard, hadamardEntry, hadamardMatrix } from "./hadamard.ts";
import { hadamardCode } from "./hadamard-code.ts";
import { matrixCode } from "./matrix-code.ts";
import { orthogonalCode } from "./orthogonal-code.ts";
import { simplexCode } from "./simplex-code.ts";
import { spreadCode } from "./spread-code.ts";

function rowsOf(code: ClassCode, classes: number, features: number): Float64Array[] {
  const matrix = code.prototypes(classes, features).matrix();
  expect(matrix.length).toBe(classes * features);
  return Array.from({ length: classes }, (_, c) => matrix.slice(c * features, (c + 1) * features));
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

/** Cosines of all pairs of rows. */
function cosines(rows: readonly Float64Array[]): number[] {
  return rows.flatMap((a, i) => rows.slice(i + 1).map((b) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))));
}

describe("Hadamard matrices", () => {
  it.each([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024])("of order %i have H H^T = order I", (order) => {
    const matrix = hadamardMatrix(order);
    const entries = matrix.every((entry, at) => entry === hadamardEntry(Math.floor(at / order), at % order));
    expect(entries).toBe(true);
    // H times its own columns: the transform of row r must be order at place r and 0 elsewhere.
    const products = fastWalshHadamard(matrix.slice(), order);
    expect(products.every((value, at) => value === (Math.floor(at / order) === at % order ? order : 0))).toBe(true);
  });

  it("are multiplied by the fast transform, in batches, and given back by the second", () => {
    const random = seededRandom(1);
    const x = Float32Array.from({ length: 3 * 64 }, () => random.normal());
    const once = fastWalshHadamard(x.slice(), 64);
    const matrix = hadamardMatrix(64);
    for (let at = 0; at < once.length; at++) {
      const [group, row] = [Math.floor(at / 64), at % 64];
      let sum = 0;
      for (let j = 0; j < 64; j++) sum += matrix[row * 64 + j]! * x[group * 64 + j]!;
      expect(Math.abs(once[at]! - sum)).toBeLessThan(1e-5 * 64);
    }
    const twice = fastWalshHadamard(once, 64);
    expect(Math.max(...twice.map((value, i) => Math.abs(value / 64 - x[i]!)))).toBeLessThan(1e-5);
  });

  it("have orders that are powers of two", () => {
    expect(() => hadamardMatrix(12)).toThrow("hadamardMatrix: order must be a power of two, got 12.");
    expect(() => fastWalshHadamard(new Float64Array(12), 8)).toThrow(OptionError);
  });
});

describe("hadamardCode", () => {
  it("takes rows 1, 2, ... or 0, 1, ... as signs or of length 1", () => {
    expect(rowsOf(hadamardCode(), 3, 4)).toEqual([[1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]].map((row) => Float64Array.from(row))); // biome-ignore format: a matrix
    expect(rowsOf(hadamardCode({ row0: "keep" }), 1, 4)[0]).toEqual(Float64Array.from([1, 1, 1, 1]));
    for (const row of rowsOf(hadamardCode({ rows: "unit" }), 10, 48)) expect(dot(row, row)).toBeCloseTo(1, 12);
  });

  it("is orthogonal where rows lie in a small block, and nearly so beyond", () => {
    expect(Math.max(...cosines(rowsOf(hadamardCode(), 10, 48)).map(Math.abs))).toBe(0);
    const far = cosines(rowsOf(hadamardCode({ row0: "keep" }), 40, 48)).map(Math.abs);
    expect(Math.max(...far)).toBeCloseTo(1 / 3, 12);
  });

  it("repeats 64 rows for 100 classes when truncated, and not by default", () => {
    const distinct = (code: ClassCode) => new Set(rowsOf(code, 100, 64).map(String)).size;
    expect(distinct(hadamardCode({ row0: "keep", wide: "truncate" }))).toBe(64);
    expect(distinct(hadamardCode())).toBe(100);
    expect(new Set(cosines(rowsOf(hadamardCode(), 100, 64)))).toEqual(new Set([0, -1]));
  });

  it("takes random columns for any number of classes, better ones than the first", () => {
    const rows = rowsOf(hadamardCode({ wide: "random-columns" }), 256, 64);
    const coherence = Math.max(...cosines(rows).map(Math.abs));
    expect(coherence).toBeLessThan(0.5);
    expect(new Set(rows.map(String)).size).toBe(256);
  });

  it("says how many classes there can be", () => {
    expect(rowsOf(hadamardCode(), 126, 64)).toHaveLength(126);
    expect(() => hadamardCode().prototypes(127, 64)).toThrow(
      "hadamardCode: classes must be at most 126 for 64 features with both signs of 63 rows, got 127. " +
        'Take wide: "random-columns", or spreadCode.',
    );
    expect(rowsOf(hadamardCode({ row0: "keep" }), 128, 64)).toHaveLength(128);
  });
});

describe("random codes", () => {
  it("are orthonormal, and the same from the same seed", () => {
    const rows = rowsOf(orthogonalCode(), 10, 64);
    for (const [i, a] of rows.entries()) {
      for (const [j, b] of rows.entries()) expect(Math.abs(dot(a, b) - (i === j ? 1 : 0))).toBeLessThan(1e-6);
    }
    expect(rowsOf(orthogonalCode({ seed: 123 }), 10, 64)).toEqual(rows);
    expect(rowsOf(orthogonalCode({ seed: 124 }), 10, 64)).not.toEqual(rows);
    // More classes than features: orthonormal columns.
    const tall = rowsOf(orthogonalCode(), 8, 3);
    for (const column of [0, 1, 2]) expect(tall.reduce((sum, row) => sum + row[column]! ** 2, 0)).toBeCloseTo(1, 10);
  });

  it("of a simplex have cosines -1 / (C - 1), up to one class more than features", () => {
    for (const [classes, features] of [
      [10, 64],
      [2, 5],
      [6, 5],
    ] as const) {
      const rows = rowsOf(simplexCode(), classes, features);
      for (const row of rows) expect(dot(row, row)).toBeCloseTo(1, 10);
      for (const cosine of cosines(rows)) expect(cosine).toBeCloseTo(-1 / (classes - 1), 10);
    }
    expect(() => simplexCode().prototypes(7, 5)).toThrow(
      "simplexCode: classes must be from 2 to 6 for 5 features, got 7. Take spreadCode.",
    );
  });

  it("that are spread have lower coherence than random directions, and are the simplex where that is possible", () => {
    const spread = Math.max(...cosines(rowsOf(spreadCode(), 40, 8)));
    const random = seededRandom(123);
    const drawn = Array.from({ length: 40 }, () => Float64Array.from({ length: 8 }, () => random.normal()));
    expect(spread).toBeLessThan(0.5);
    expect(spread).toBeLessThan(0.7 * Math.max(...cosines(drawn)));
    expect(rowsOf(spreadCode(), 5, 4)).toEqual(rowsOf(simplexCode(), 5, 4));
  });

  it("of four classes in the plane are a square", () => {
    expect(Math.max(...cosines(rowsOf(spreadCode(), 4, 2)))).toBeLessThan(0.05);
  });
});

describe("matrixCode", () => {
  it("takes rows as they are, of the right shape", () => {
    const matrix = float32([2, 3], [1, 2, 3, 4, 5, 6]);
    expect(matrixCode(matrix).prototypes(2, 3).matrix()).toEqual(Float64Array.from([1, 2, 3, 4, 5, 6]));
    expect(() => matrixCode(matrix).prototypes(3, 3)).toThrow(
      "matrixCode: the matrix must be [classes, features], here [3, 3], got [2, 3].",
    );
  });
});
