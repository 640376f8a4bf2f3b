/** Cholesky factors, and solving with them, in blocks whose products ONNX Runtime forms. */
import { DataError } from "../../errors.ts";
import { type Matrix, type MatrixProducts, part, partTransposed } from "./matrix.ts";

/** Columns that are worked through number by number; everything before and behind them is a product of matrices. */
export const BLOCK_COLUMNS = 128;

/**
 * Returns the lower triangular L with `L L^T = matrix`, zeros above the diagonal.
 *
 * @throws DataError unless the matrix is positive definite, to the digits of float32.
 */
export async function cholesky(matrix: Matrix, products: MatrixProducts): Promise<Matrix> {
  const { rows } = matrix;
  const factor = { rows, columns: rows, data: new Float32Array(rows * rows) };
  for (let start = 0; start < rows; start += BLOCK_COLUMNS) {
    const end = Math.min(rows, start + BLOCK_COLUMNS);
    const panel = part(matrix, [start, rows], [start, end]);
    if (start > 0) {
      const left = part(factor, [start, rows], [0, start]);
      const own = { ...left, rows: end - start, data: left.data.subarray(0, (end - start) * start) };
      subtract(panel, await products.timesTransposed(left, own));
    }
    factorPanel(panel, start);
    for (let row = start; row < rows; row++) {
      const from = (row - start) * panel.columns;
      const length = Math.min(end, row + 1) - start;
      factor.data.set(panel.data.subarray(from, from + length), row * rows + start);
    }
  }
  return factor;
}

/** Factors the square on top of a panel, and solves for the rows below. */
function factorPanel({ rows, columns, data }: Matrix, offset: number): void {
  const top = new Float64Array(columns * columns);
  const row = new Float64Array(columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < Math.min(i + 1, columns); j++) {
      let sum = data[i * columns + j]!;
      for (let k = 0; k < j; k++) sum -= row[k]! * (i === j ? row[k]! : top[j * columns + k]!);
      row[j] = i === j ? rootOf(sum, offset + i) : sum / top[j * columns + j]!;
    }
    if (i < columns) top.set(row.subarray(0, i + 1), i * columns);
    data.set(row.subarray(0, Math.min(i + 1, columns)), i * columns);
  }
}

function rootOf(pivot: number, column: number): number {
  if (pivot > 0) return Math.sqrt(pivot);
  throw new DataError(`cholesky: the matrix must be positive definite, got ${pivot} at column ${column}.`);
}

/** Returns X with `X L L^T = right`, for a factor L from `cholesky`. */
export async function solve(right: Matrix, factor: Matrix, products: MatrixProducts): Promise<Matrix> {
  const { rows, columns } = right;
  const x = { rows, columns, data: right.data.slice() };
  const blocks = Array.from({ length: Math.ceil(columns / BLOCK_COLUMNS) }, (_, i) => i * BLOCK_COLUMNS);
  for (const start of blocks) {
    const end = Math.min(columns, start + BLOCK_COLUMNS);
    const triangle = part(factor, [start, end], [start, end]);
    const known = part(x, [0, rows], [0, start]);
    const others = await products.timesTransposed(known, part(factor, [start, end], [0, start]));
    for (let row = 0; row < rows; row++) {
      for (let i = start; i < end; i++) {
        let sum = x.data[row * columns + i]! - others.data[row * (end - start) + i - start]!;
        for (let j = start; j < i; j++) {
          sum -= x.data[row * columns + j]! * triangle.data[(i - start) * triangle.columns + j - start]!;
        }
        x.data[row * columns + i] = sum / triangle.data[(i - start) * (triangle.columns + 1)]!;
      }
    }
  }
  for (const start of blocks.toReversed()) {
    const end = Math.min(columns, start + BLOCK_COLUMNS);
    const triangle = part(factor, [start, end], [start, end]);
    const known = part(x, [0, rows], [end, columns]);
    const others = await products.timesTransposed(known, partTransposed(factor, [end, columns], [start, end]));
    for (let row = 0; row < rows; row++) {
      for (let i = end - 1; i >= start; i--) {
        let sum = x.data[row * columns + i]! - others.data[row * (end - start) + i - start]!;
        for (let j = i + 1; j < end; j++) {
          sum -= x.data[row * columns + j]! * triangle.data[(j - start) * triangle.columns + i - start]!;
        }
        x.data[row * columns + i] = sum / triangle.data[(i - start) * (triangle.columns + 1)]!;
      }
    }
  }
  return x;
}

function subtract({ data }: Matrix, other: Matrix): void {
  for (let i = 0; i < data.length; i++) data[i]! -= other.data[i]!;
}
