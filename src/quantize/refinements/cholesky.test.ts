import { afterAll, describe, expect, it } from "vitest";
import { normals, runtime } from "../small-models.cases.ts";
import { cholesky, solve } from "./cholesky.ts";
import { type Matrix, MatrixProducts } from "./matrix.ts";

const products = await MatrixProducts.open(runtime);
afterAll(() => products.release());

/** The Gram matrix of random columns, which is positive definite when there are more of them than rows. */
async function gram(rows: number): Promise<Matrix> {
  const columns = 2 * rows;
  const x = { rows, columns, data: normals(rows, rows * columns) };
  return products.timesTransposed(x, x);
}

function largestDifference(a: Matrix, b: Matrix): number {
  return a.data.reduce((most, value, i) => Math.max(most, Math.abs(value - b.data[i]!)), 0);
}

// Below, at and beyond the columns that are worked through at a time; 300 has a last block of its own size.
describe.each([1, 5, 128, 129, 300])("of %i rows", (rows) => {
  it("finds a lower triangle whose square is the matrix", async () => {
    const matrix = await gram(rows);
    const factor = await cholesky(matrix, products);
    expect(factor.data.some((value, i) => value !== 0 && i % rows > Math.floor(i / rows))).toBe(false);
    const square = await products.timesTransposed(factor, factor);
    // Numbers of about 2 rows; float32 sums of as many products.
    expect(largestDifference(square, matrix)).toBeLessThan(1e-5 * rows);
  });

  it("solves for several rows at once", async () => {
    const matrix = await gram(rows);
    const wanted = { rows: 3, columns: rows, data: normals(7, 3 * rows) };
    const right = await products.timesTransposed(wanted, matrix);
    const found = await solve(right, await cholesky(matrix, products), products);
    expect(largestDifference(found, wanted)).toBeLessThan(2e-3);
  });
});

it("refuses a matrix that is not positive definite, and names the column", async () => {
  const matrix = { rows: 2, columns: 2, data: Float32Array.of(1, 2, 2, 1) };
  await expect(cholesky(matrix, products)).rejects.toThrow(
    "cholesky: the matrix must be positive definite, got -3 at column 1.",
  );
});
