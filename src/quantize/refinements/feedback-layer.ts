/** New integers, scales and biases for one layer, from the moments of its inputs. */
import type { QuantizedLayer } from "../lowering/plan.ts";
import { cholesky, solve } from "./cholesky.ts";
import { descendRows } from "./descend-rows.ts";
import type { GroupMoments } from "./gram.ts";
import { productSizes } from "./input-columns.ts";
import { type Matrix, type MatrixProducts, reordered } from "./matrix.ts";
import { type RoundedRows, type RowGrids, roundRows } from "./round-rows.ts";
import { rowGrids, weightRows, withRows } from "./weight-rows.ts";

/**
 * Share of the mean diagonal that is added to the diagonal of Gram matrices, as in GPTQ; and, beside it, one for each input
 * over samples, which is what chance adds to a covariance: with few samples weights are rounded more nearly each by itself.
 */
const DAMPING = 0.01;

/** The same where weights move to make up for earlier errors: more, because that follows the samples further. */
const SHIFT_DAMPING = 1;

/** Scales that are tried for each row of few bits, as shares of the present one; the present one first, for ties. */
const SCALE_SHARES = [1, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 1.05, 1.1, 1.15, 1.2];

/** Above this many bits the scale makes no difference. */
const MOST_BITS_TRIED = 4;

/** Returns a layer with the integers, scales and bias whose outputs are nearest to the float model's, as far as it finds them. */
export async function refineLayer(
  quantized: QuantizedLayer,
  moments: readonly GroupMoments[],
  products: MatrixProducts,
): Promise<QuantizedLayer> {
  const { layer, weights } = quantized;
  const { groups, outputs, inputs } = productSizes(layer);
  const rows = weightRows(layer);
  const grids = rowGrids(weights);
  const perRow = grids.scales.length / (groups * outputs);
  const shares = weights.granularity === "channel" && weights.bits <= MOST_BITS_TRIED ? SCALE_SHARES : [1];
  const steps = new Int16Array(rows.length);
  const scales = new Float32Array(grids.scales.length);
  const shift = new Float64Array(groups * outputs);
  for (const [group, own] of moments.entries()) {
    const first = group * outputs;
    const cut = (of: Float32Array, length: number) => of.subarray(first * length, (first + outputs) * length);
    const part = { rows: outputs, columns: inputs, data: cut(rows, inputs) };
    const [lowest, highest] = [cut(grids.lowest, perRow), cut(grids.highest, perRow)];
    const partGrids = { ...grids, scales: cut(grids.scales, perRow), lowest, highest };
    const found = await refineGroup(part, partGrids, own, { products, shares });
    steps.set(found.steps, first * inputs);
    scales.set(found.grids.scales, first * perRow);
    shift.set(expectedShift(part, found, own), first);
  }
  const biasShift = quantized.layer.kind === "matmul" && !layer.biasNode ? undefined : shift;
  return { ...quantized, weights: withRows(layer, weights, steps, scales), biasShift };
}

interface OnGrids extends RoundedRows {
  readonly grids: RowGrids;
}

/** By how much the outputs of each row fall short on average: of the errors before the layer, and of its own. */
function expectedShift(weights: Matrix, { steps, grids }: OnGrids, { means, shortfall }: GroupMoments): Float64Array {
  const { columns, data } = weights;
  const perRow = grids.scales.length / weights.rows;
  return shortfall.map((short, row) => {
    let sum = short;
    for (let i = 0; i < columns; i++) {
      const at = row * columns + i;
      sum += (data[at]! - steps[at]! * grids.scales[row * perRow + grids.gridOf[i]!]!) * means[i]!;
    }
    return sum;
  });
}

/** Rounds the rows of one group of products. */
async function refineGroup(
  weights: Matrix,
  grids: RowGrids,
  { gram: measured, cross, samples }: GroupMoments,
  { products, shares }: { readonly products: MatrixProducts; readonly shares: readonly number[] },
): Promise<OnGrids> {
  const { rows, columns } = weights;
  const order = ascending(measured);
  const ordered = reordered(measured, order, true);
  const chance = columns / samples;
  const shifted = await cholesky(damped(ordered, SHIFT_DAMPING + chance), products);
  const targets = await solve(reordered(cross, order), shifted, products);
  const moved = reordered(weights, order);
  for (let i = 0; i < targets.data.length; i++) targets.data[i]! += moved.data[i]!;
  const gram = damped(ordered, DAMPING + chance);
  const start = { ...grids, gridOf: grids.gridOf.map((_, i) => grids.gridOf[order[i]!]!) };
  const rounded = await roundOnBestScales(targets, start, await cholesky(gram, products), { products, shares });
  // A row whose scale was made large enough for its bias to fit in 30 bits has room for it in 31.
  const leastScales = grids.scales.map((scale) => scale / 2);
  const found = await descendRows(targets, rounded, rounded.grids, { gram, products, leastScales });
  const steps = new Int16Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < columns; i++) steps[row * columns + order[i]!] = found.steps[row * columns + i]!;
  }
  return { ...found, steps, grids: { ...found.grids, gridOf: grids.gridOf } };
}

/** Rounds every row with each of the scales, and keeps the best. */
async function roundOnBestScales(
  targets: Matrix,
  grids: RowGrids,
  factor: Matrix,
  { products, shares }: { readonly products: MatrixProducts; readonly shares: readonly number[] },
): Promise<OnGrids> {
  const { rows, columns } = targets;
  const steps = new Int16Array(rows * columns);
  const errors = new Float64Array(rows).fill(Number.POSITIVE_INFINITY);
  const scales = grids.scales.slice();
  for (const share of shares) {
    const tried = { ...grids, scales: grids.scales.map((scale) => scale * share) };
    const found = await roundRows(targets, tried, factor, products);
    for (let row = 0; row < rows; row++) {
      if (found.errors[row]! >= errors[row]!) continue;
      const [start, end] = [row * columns, (row + 1) * columns];
      errors[row] = found.errors[row]!;
      steps.set(found.steps.subarray(start, end), start);
      if (scales.length === rows) scales[row] = tried.scales[row]!;
    }
  }
  return { steps, errors, grids: { ...grids, scales } };
}

/** Columns in the order of their inputs' spread: the widest last, so that it is rounded first ("act order"). */
function ascending({ rows, data }: Matrix): Uint32Array {
  const spread = (i: number): number => data[i * (rows + 1)]!;
  return Uint32Array.from({ length: rows }, (_, i) => i).sort((a, b) => spread(a) - spread(b));
}

/** The matrix with a share of its mean diagonal added to the diagonal; 1 where nothing varies. */
function damped(gram: Matrix, share: number): Matrix {
  const { rows } = gram;
  const data = gram.data.slice();
  let trace = 0;
  for (let i = 0; i < rows; i++) trace += data[i * (rows + 1)]!;
  const added = (share * trace) / rows || 1;
  for (let i = 0; i < rows; i++) data[i * (rows + 1)]! += added;
  return { ...gram, data };
}
