import { afterAll, describe, expect, it } from "vitest";
import { normals, runtime } from "../small-models.cases.ts";
import { cholesky } from "./cholesky.ts";
import { descendRows } from "./descend-rows.ts";
import { type Matrix, MatrixProducts } from "./matrix.ts";
import { type RoundedRows, type RowGrids, roundRows } from "./round-rows.ts";

const products = await MatrixProducts.open(runtime);
afterAll(() => products.release());

/** Inputs that vary together: what rounding errors can make up for. */
async function correlatedGram(columns: number): Promise<Matrix> {
  const samples = 4 * columns;
  const own = normals(1, columns * samples);
  const common = normals(2, samples, 2);
  const x = { rows: columns, columns: samples, data: own.map((value, i) => value + common[i % samples]!) };
  return products.timesTransposed(x, x);
}

function gridsOf(rows: number, columns: number, scale: number): RowGrids {
  return {
    scales: new Float32Array(rows).fill(scale),
    lowest: new Float32Array(rows).fill(-8),
    highest: new Float32Array(rows).fill(7),
    gridOf: new Uint32Array(columns),
  };
}

/** `(w - wq) H (w - wq)^T` of one row, in float64. */
function errorOf(weights: Matrix, steps: Int16Array, row: number, grids: RowGrids, gram: Matrix): number {
  const { columns } = weights;
  const d = Array.from({ length: columns }, (_, i) => {
    return weights.data[row * columns + i]! - steps[row * columns + i]! * grids.scales[row]!;
  });
  let error = 0;
  for (let i = 0; i < columns; i++) {
    for (let j = 0; j < columns; j++) error += d[i]! * gram.data[i * columns + j]! * d[j]!;
  }
  return error;
}

function nearest(weights: Matrix, grids: RowGrids): Int16Array {
  return Int16Array.from(weights.data, (weight, i) => {
    const row = Math.floor(i / weights.columns);
    return Math.min(7, Math.max(-8, Math.round(weight / grids.scales[row]!)));
  });
}

async function rounded(rows: number, columns: number) {
  const weights = { rows, columns, data: normals(3, rows * columns) };
  const grids = gridsOf(rows, columns, 0.4);
  const gram = await correlatedGram(columns);
  const found = await roundRows(weights, grids, await cholesky(gram, products), products);
  return { weights, grids, gram, found };
}

describe.each([
  [4, 20],
  [3, 200],
])("rounding %i rows of %i correlated columns", (rows, columns) => {
  it("reports the errors its rows have, far below those of nearest rounding", async () => {
    const { weights, grids, gram, found } = await rounded(rows, columns);
    const plain = nearest(weights, grids);
    let [sum, plainSum] = [0, 0];
    for (let row = 0; row < rows; row++) {
      const error = errorOf(weights, found.steps, row, grids, gram);
      expect(Math.abs(found.errors[row]! / error - 1)).toBeLessThan(1e-3);
      sum += error;
      plainSum += errorOf(weights, plain, row, grids, gram);
    }
    expect(sum).toBeLessThan(0.7 * plainSum);
  });

  it("never gets worse by descending, whose errors are those reported too", async () => {
    const { weights, grids, gram, found } = await rounded(rows, columns);
    const leastScales = grids.scales.map((scale) => scale / 2);
    const better = await descendRows(weights, found, grids, { gram, products, leastScales });
    for (let row = 0; row < rows; row++) {
      const error = errorOf(weights, better.steps, row, better.grids, gram);
      expect(Math.abs(better.errors[row]! / error - 1)).toBeLessThan(1e-2);
      expect(error).toBeLessThanOrEqual(found.errors[row]! * (1 + 1e-4));
    }
  });
});

it("rounds to the nearest step where inputs are independent", async () => {
  const weights = { rows: 2, columns: 6, data: normals(5, 12) };
  const grids = gridsOf(2, 6, 0.3);
  const factor = { rows: 6, columns: 6, data: new Float32Array(36) };
  for (let i = 0; i < 6; i++) factor.data[i * 7] = i + 1;
  const { steps } = await roundRows(weights, grids, factor, products);
  expect([...steps]).toEqual([...nearest(weights, grids)]);
});

it("keeps to each grid's limits, and to the grid of each column", async () => {
  const grids = {
    scales: Float32Array.of(1, 0.5),
    lowest: Float32Array.of(-2, -1),
    highest: Float32Array.of(1, 3),
    gridOf: Uint32Array.of(0, 0, 1, 1),
  };
  const weights = { rows: 1, columns: 4, data: Float32Array.of(-9, 9, -9, 1.1) };
  const factor = { rows: 4, columns: 4, data: new Float32Array(16) };
  for (let i = 0; i < 4; i++) factor.data[i * 5] = 1;
  const { steps } = await roundRows(weights, grids, factor, products);
  expect([...steps]).toEqual([-2, 1, -1, 2]);
});

it("finds the best of all roundings of a few weights by rounding and descending", async () => {
  const columns = 4;
  const gram = await correlatedGram(columns);
  const factor = await cholesky(gram, products);
  const grids = gridsOf(1, columns, 1);
  let optimal = 0;
  for (let seed = 0; seed < 20; seed++) {
    const weights = { rows: 1, columns, data: normals(100 + seed, columns, 2) };
    const start = await roundRows(weights, grids, factor, products);
    const found = await descendRows(weights, start, grids, { gram, products });
    let best = Number.POSITIVE_INFINITY;
    for (let choice = 0; choice < 3 ** columns; choice++) {
      const steps = Int16Array.from(weights.data, (w, i) => {
        return Math.min(7, Math.max(-8, Math.round(w) + (Math.floor(choice / 3 ** i) % 3) - 1));
      });
      best = Math.min(best, errorOf(weights, steps, 0, grids, gram));
    }
    const error = errorOf(weights, found.steps, 0, grids, gram);
    expect(error).toBeGreaterThanOrEqual(best * (1 - 1e-4));
    if (error <= best * (1 + 1e-4)) optimal++;
  }
  // Neither is a search of everything: most, not all.
  expect(optimal).toBeGreaterThanOrEqual(14);
});

it("gives a row the scale of least squares", async () => {
  const gram = await correlatedGram(8);
  const steps = Int16Array.of(1, -2, 3, 0, 1, 2, -1, 1);
  const weights = { rows: 1, columns: 8, data: Float32Array.from(steps, (count) => count * 0.37) };
  const start: RoundedRows = { steps, errors: Float64Array.of(Number.NaN) };
  const options = { gram, products, leastScales: Float32Array.of(0.1) };
  const found = await descendRows(weights, start, gridsOf(1, 8, 0.36), options);
  expect(found.grids.scales[0]).toBeCloseTo(0.37, 4);
  expect([...found.steps]).toEqual([...steps]);
  const bounded = await descendRows(weights, start, gridsOf(1, 8, 0.39), {
    ...options,
    leastScales: Float32Array.of(0.38),
  });
  expect(bounded.grids.scales[0]).toBeCloseTo(0.39, 4);
});

it("gives each grid of a row the scale of least squares, with the others as they are", async () => {
  const steps = Int16Array.of(1, -2, 3, 0, 1, 2, -1, 1);
  const data = Float32Array.from(steps, (count, i) => count * (i < 4 ? 0.37 : 0.52));
  const weights = { rows: 1, columns: 8, data };
  const grids = {
    scales: Float32Array.of(0.36, 0.53),
    lowest: Float32Array.of(-8, -8),
    highest: Float32Array.of(7, 7),
    gridOf: Uint32Array.of(0, 0, 0, 0, 1, 1, 1, 1),
  };
  const start: RoundedRows = { steps, errors: Float64Array.of(Number.NaN) };
  const options = { products, leastScales: Float32Array.of(0.1, 0.1) };
  const identity = { rows: 8, columns: 8, data: Float32Array.from({ length: 64 }, (_, i) => (i % 9 === 0 ? 1 : 0)) };
  const { grids: apart } = await descendRows(weights, start, grids, { ...options, gram: identity });
  expect(apart.scales[0]).toBeCloseTo(0.37, 4);
  expect(apart.scales[1]).toBeCloseTo(0.52, 4);
  // Of correlated columns the grid that was fitted last leaves no error along its own steps.
  const gram = await correlatedGram(8);
  const found = await descendRows(weights, start, grids, { ...options, gram });
  expect([...found.steps]).toEqual([...steps]);
  const left = data.map((weight, i) => weight - steps[i]! * found.grids.scales[i < 4 ? 0 : 1]!);
  const along = (from: Float32Array): number => {
    let sum = 0;
    for (let i = 4; i < 8; i++) for (let j = 0; j < 8; j++) sum += steps[i]! * gram.data[i * 8 + j]! * from[j]!;
    return sum;
  };
  const before = data.map((weight, i) => weight - steps[i]! * grids.scales[i < 4 ? 0 : 1]!);
  expect(Math.abs(along(left))).toBeLessThan(1e-3 * Math.abs(along(before)));
});
