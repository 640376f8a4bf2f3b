/** Improving rounded weights one at a time, and the scales of their rows. */
import type { Matrix, MatrixProducts } from "./matrix.ts";
import type { RoundedRows, RowGrids } from "./round-rows.ts";

/** What to improve. */
export interface DescendOptions {
  readonly gram: Matrix;
  readonly products: MatrixProducts;
  /** The smallest scale each grid may have, [rows, grids of a row]; scales stay as they are when absent. */
  readonly leastScales?: Float32Array | undefined;
}

/** Rounds of scale and weights; the last ones change next to nothing. */
const ROUNDS = 4;

/**
 * Lessens `(w - wq) H (w - wq)^T` of each row, in turns: its scale becomes the one of the least error, then each weight becomes
 * the best that there is while the others stay. Never makes a row worse.
 *
 * @returns The rows, and their grids with the new scales.
 * @see Behdin et al. 2023, "QuantEase", arXiv:2309.01885, for the descent.
 */
export async function descendRows(
  weights: Matrix,
  rounded: RoundedRows,
  grids: RowGrids,
  { gram, products, leastScales }: DescendOptions,
): Promise<RoundedRows & { readonly grids: RowGrids }> {
  const { rows, columns } = weights;
  const steps = rounded.steps.slice();
  const scales = grids.scales.slice();
  const errors = new Float64Array(rows);
  const wanted = await products.timesTransposed(weights, gram);
  const values = new Float32Array(steps.length);
  const perRow = scales.length / rows;
  for (let i = 0; i < steps.length; i++) {
    values[i] = steps[i]! * scales[Math.floor(i / columns) * perRow + grids.gridOf[i % columns]!]!;
  }
  const reached = await products.timesTransposed({ rows, columns, data: values }, gram);
  for (let row = 0; row < rows; row++) {
    const [start, end] = [row * columns, (row + 1) * columns];
    errors[row] = descendRow({
      weights: weights.data.subarray(start, end),
      steps: steps.subarray(start, end),
      scales: scales.subarray(row * perRow, (row + 1) * perRow),
      lowest: grids.lowest.subarray(row * perRow, (row + 1) * perRow),
      highest: grids.highest.subarray(row * perRow, (row + 1) * perRow),
      gridOf: grids.gridOf,
      wanted: wanted.data.subarray(start, end),
      reached: Float64Array.from(reached.data.subarray(start, end)),
      gram: gram.data,
      leastScales: leastScales?.subarray(row * perRow, (row + 1) * perRow),
    });
  }
  return { steps, errors, grids: { ...grids, scales } };
}

interface Row {
  readonly weights: Float32Array;
  readonly steps: Int16Array;
  readonly scales: Float32Array;
  readonly lowest: Float32Array;
  readonly highest: Float32Array;
  readonly gridOf: Uint32Array;
  /** w H. */
  readonly wanted: Float32Array;
  /** wq H; kept up to date. */
  readonly reached: Float64Array;
  readonly gram: Float32Array;
  readonly leastScales: Float32Array | undefined;
}

function descendRow(row: Row): number {
  for (let round = 0; round < ROUNDS; round++) {
    if (row.leastScales) fitScales(row, row.leastScales);
    if (sweep(row) === 0) break;
  }
  const { weights, steps, scales, gridOf, wanted, reached } = row;
  let error = 0;
  for (let i = 0; i < weights.length; i++) {
    error += (weights[i]! - steps[i]! * scales[gridOf[i]!]!) * (wanted[i]! - reached[i]!);
  }
  return Math.max(0, error);
}

/** Gives each grid in turn the scale of least squares: `s + (c H (w - wq)) / (c H c)`, c the steps on that grid. */
function fitScales({ steps, scales, gridOf, wanted, reached, gram }: Row, least: Float32Array): void {
  const { length } = steps;
  const columnsOf: number[][] = Array.from(scales, () => []);
  for (let i = 0; i < length; i++) if (steps[i] !== 0) columnsOf[gridOf[i]!]!.push(i);
  const along = new Float64Array(length);
  for (const [grid, columns] of columnsOf.entries()) {
    along.fill(0);
    let slope = 0;
    for (const i of columns) {
      slope += steps[i]! * (wanted[i]! - reached[i]!);
      for (let j = 0; j < length; j++) along[j]! += steps[i]! * gram[i * length + j]!;
    }
    const own = columns.reduce((sum, i) => sum + steps[i]! * along[i]!, 0);
    const scale = Math.fround(scales[grid]! + slope / own);
    if (!(own > 0 && scale >= least[grid]!)) continue;
    const change = scale - scales[grid]!;
    for (let j = 0; j < length; j++) reached[j]! += change * along[j]!;
    scales[grid] = scale;
  }
}

/** Gives each weight in turn the best number of steps, and returns how many changed. */
function sweep({ weights, steps, scales, lowest, highest, gridOf, wanted, reached, gram }: Row): number {
  const { length } = weights;
  let changed = 0;
  for (let i = 0; i < length; i++) {
    const grid = gridOf[i]!;
    const scale = scales[grid]!;
    const slope = (wanted[i]! - reached[i]!) / gram[i * length + i]!;
    const best = Math.round(steps[i]! + slope / scale);
    const count = Math.min(Math.max(best, lowest[grid]!), highest[grid]!);
    if (count === steps[i]) continue;
    const change = (count - steps[i]!) * scale;
    steps[i] = count;
    for (let j = 0; j < length; j++) reached[j]! += change * gram[i * length + j]!;
    changed++;
  }
  return changed;
}
