/** Rounding rows of weights so that their products with correlated inputs stay right: GPTQ. */
import { BLOCK_COLUMNS } from "./cholesky.ts";
import { type Matrix, type MatrixProducts, part, partTransposed } from "./matrix.ts";

/** The grids of rows of weights: a weight is a whole number of steps, `weight = steps * scale`, within limits. */
export interface RowGrids {
  /** [rows, grids of a row]. */
  readonly scales: Float32Array;
  /** Fewest and most steps, [rows, grids of a row]. */
  readonly lowest: Float32Array;
  readonly highest: Float32Array;
  /** Which of its row's grids each column has. */
  readonly gridOf: Uint32Array;
}

/** Rows of weights in steps of their grids. */
export interface RoundedRows {
  /** [rows, columns]. */
  readonly steps: Int16Array;
  /** `(w - wq) H (w - wq)^T` of each row. */
  readonly errors: Float64Array;
}

/**
 * Rounds every row w to steps of its grids for a small error `(w - wq) H (w - wq)^T` of its products with inputs of the Gram
 * matrix H: column after column, from the last to the first, each moved by what the errors of those before it call for.
 *
 * This is GPTQ (Frantar et al. 2022, arXiv:2210.17323) as the nearest-plane algorithm that it is (Chen et al. 2025,
 * arXiv:2507.18553): with `H = L L^T` the error is the sum over columns i of `(sum_{j >= i} L_ji d_j)^2`, d = w - wq. It needs
 * the factor alone, no inverse.
 *
 * @param factor L, from `cholesky`.
 */
export async function roundRows(
  weights: Matrix,
  grids: RowGrids,
  factor: Matrix,
  products: MatrixProducts,
): Promise<RoundedRows> {
  const { rows, columns } = weights;
  const steps = new Int16Array(rows * columns);
  const errors = new Float64Array(rows);
  const differences = { rows, columns, data: new Float32Array(rows * columns) };
  for (let end = columns; end > 0; ) {
    const start = Math.max(0, end - BLOCK_COLUMNS);
    const behind = await products.timesTransposed(
      part(differences, [0, rows], [end, columns]),
      partTransposed(factor, [end, columns], [start, end]),
    );
    // Row i has what L holds in column i, so that the innermost loop runs along memory.
    const triangle = Float64Array.from(partTransposed(factor, [start, end], [start, end]).data);
    const block = { start, end, triangle, behind: behind.data };
    for (let row = 0; row < rows; row++) {
      errors[row]! += roundBlock(row, block, { weights, grids, steps, differences: differences.data });
    }
    end = start;
  }
  return { steps, errors };
}

interface Block {
  readonly start: number;
  readonly end: number;
  readonly triangle: Float64Array;
  /** By row and column: the sum of L_ji d_j over the columns j behind the block. */
  readonly behind: Float32Array;
}

interface Rows {
  readonly weights: Matrix;
  readonly grids: RowGrids;
  readonly steps: Int16Array;
  readonly differences: Float32Array;
}

/** Rounds one row's weights of a block, and returns what they add to its error. */
function roundBlock(row: number, { start, end, triangle, behind }: Block, rows: Rows): number {
  const { weights, grids, steps, differences } = rows;
  const { scales, lowest, highest, gridOf } = grids;
  const width = end - start;
  const ownGrids = row * (scales.length / weights.rows);
  const at = row * weights.columns + start;
  let error = 0;
  for (let i = width - 1; i >= 0; i--) {
    let carried = behind[row * width + i]!;
    for (let j = i + 1; j < width; j++) carried += triangle[i * width + j]! * differences[at + j]!;
    const pivot = triangle[i * width + i]!;
    const grid = ownGrids + gridOf[start + i]!;
    const scale = scales[grid]!;
    const weight = weights.data[at + i]!;
    const count = clamp(Math.round((weight + carried / pivot) / scale), lowest[grid]!, highest[grid]!);
    const difference = weight - count * scale;
    steps[at + i] = count;
    differences[at + i] = difference;
    error += (carried + pivot * difference) ** 2;
  }
  return error;
}

function clamp(count: number, least: number, most: number): number {
  return count < least ? least : count > most ? most : count;
}
