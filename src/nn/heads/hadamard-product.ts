/** Products with rows of a Hadamard matrix whose numbers are not in the program. */
import type { Ops } from "../../build/index.ts";
import type { Value } from "../../program/index.ts";
import type { DType } from "../../tensor/index.ts";
import { tensorOf } from "../../tensor/index.ts";
import type { HadamardRows } from "./class-code.ts";
import { hadamardMatrix, powerOfTwoFrom } from "./hadamard.ts";

/**
 * Writes Q [classes, features] as a Kronecker product of two small factors: H_ab = H_a (x) H_b. Everything is constant, so that an engine
 * computes it once, when it loads the program.
 */
export function generatedRows(
  ops: Ops,
  { firstRow, rows, columns, factor }: HadamardRows,
  { classes, features, dtype }: { readonly classes: number; readonly features: number; readonly dtype: DType },
): Value {
  const order = powerOfTwoFrom(firstRow + rows);
  const [a, b] = factors(order);
  if (columns) {
    // Columns are chosen from the factors: the product has order x features numbers, not order x order.
    const chosen = (size: number, places: readonly number[], shape: readonly number[], scale = 1): Value => {
      const indices = ops.constant(tensorOf("int64", [features], places));
      return ops.reshape(ops.gather(constantFactor(ops, size, dtype, [size, size], scale), indices, 1), shape);
    };
    const high = chosen(
      a,
      columns.map((column) => Math.floor(column / b)),
      [a, 1, features],
      factor,
    );
    const low = chosen(
      b,
      columns.map((column) => column % b),
      [1, b, features],
    );
    const all = ops.reshape(ops.mul(high, low), [order, features]);
    return ops.slice(all, { axes: [0], starts: [firstRow], ends: [firstRow + rows] });
  }
  const outer = ops.mul(
    constantFactor(ops, a, dtype, [a, 1, a, 1], factor),
    constantFactor(ops, b, dtype, [1, b, 1, b]),
  );
  const block = ops.reshape(outer, [order, order]);
  // Rows below the order have it as their period.
  const repeats = Math.ceil(features / order);
  const width = repeats === 1 ? block : ops.tile(block, [1, repeats]);
  const isCut = firstRow > 0 || rows < order || repeats * order > features;
  const cut = { axes: [0, 1], starts: [firstRow, 0], ends: [firstRow + rows, features] };
  return withOtherSigns(ops, isCut ? ops.slice(width, cut) : width, { rows, classes, axis: 0 });
}

/**
 * Returns x Q^T [n, classes] of x [n, features] without Q: a fast Walsh-Hadamard transform as reshapes and two small products. Rows below the
 * order have it as their period, so that parts of x of that length are summed first.
 *
 * Work for each sample: features additions and order (a + b) multiply-adds with a b = order, where the product with Q takes
 * classes features.
 */
export function fastProduct(
  ops: Ops,
  x: Value,
  { firstRow, rows, factor }: HadamardRows,
  { classes, features }: { readonly classes: number; readonly features: number },
): Value {
  const order = powerOfTwoFrom(firstRow + rows);
  const parts = Math.ceil(features / order);
  const missing = parts * order - features;
  const padded = missing > 0 ? ops.pad(x, [0, 0, 0, missing]) : x;
  const summed =
    parts === 1 ? padded : ops.reduceSum(ops.reshape(padded, [-1, parts, order]), { axes: [1], keepDims: false });
  const [a, b] = factors(order);
  const right = ops.matMul(ops.reshape(summed, [-1, b]), constantFactor(ops, b, x.dtype!, [b, b], factor));
  const both = ops.matMul(constantFactor(ops, a, x.dtype!, [a, a]), ops.reshape(right, [-1, a, b]));
  const scores = ops.reshape(both, [-1, order]);
  const isCut = firstRow > 0 || rows < order;
  const taken = isCut ? ops.slice(scores, { axes: [1], starts: [firstRow], ends: [firstRow + rows] }) : scores;
  return withOtherSigns(ops, taken, { rows, classes, axis: 1 });
}

/** Multiply-adds (additions, in truth: entries are signs) of one sample in `fastProduct`. */
export function fastProductCost({ firstRow, rows }: HadamardRows, features: number): number {
  const order = powerOfTwoFrom(firstRow + rows);
  const [a, b] = factors(order);
  return order * (a + b) + (order < features ? features : 0);
}

/** Two powers of two, as near to each other as can be. */
function factors(order: number): [number, number] {
  const a = 2 ** Math.floor(Math.log2(order) / 2);
  return [a, order / a];
}

function constantFactor(ops: Ops, order: number, dtype: DType, shape: readonly number[], factor = 1): Value {
  const entries = hadamardMatrix(order).map((entry) => factor * entry);
  return ops.constant(tensorOf(dtype, shape, entries));
}

/** Goes on with the same rows and the other sign until there is one for each class. */
function withOtherSigns(
  ops: Ops,
  value: Value,
  { rows, classes, axis }: { readonly rows: number; readonly classes: number; readonly axis: number },
): Value {
  if (classes === rows) return value;
  const first = classes === 2 * rows ? value : ops.slice(value, { axes: [axis], starts: [0], ends: [classes - rows] });
  return ops.concat([value, ops.neg(first)], axis);
}
