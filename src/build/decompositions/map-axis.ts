/** Linear maps along one axis: resampling, and padding by what is inside. */
import type { Value } from "../../program/index.ts";
import { elementCount, tensorOf } from "../../tensor/index.ts";
import type { Ops } from "../ops.ts";

/**
 * Multiplies each line along an axis by a matrix: y[..., o, ...] = sum over i of matrix[o][i] x[..., i, ...].
 *
 * A matrix that repeats every element equally often is an Expand, whose gradient is a sum; any other is a MatMul.
 */
export function mapAxis(ops: Ops, x: Value, axis: number, matrix: readonly (readonly number[])[]): Value {
  const shape = ops.shapeOf(x);
  const result = shape.map((length, index) => (index === axis ? matrix.length : length));
  const length = shape[axis]!;
  const before = elementCount(shape.slice(0, axis));
  const after = elementCount(shape.slice(axis + 1));
  const repeats = matrix.length / length;
  if (isRepetition(matrix, repeats)) {
    if (repeats === 1) return x;
    const columns = ops.reshape(x, [before, length, 1, after]);
    return ops.reshape(ops.expand(columns, [before, length, repeats, after]), result);
  }
  const flat = matrix.flat();
  if (after === 1) {
    const transposed = Array.from({ length }, (_, i) => matrix.map((row) => row[i]!)).flat();
    const weights = ops.constant(tensorOf(x.dtype!, [length, matrix.length], transposed));
    return ops.reshape(ops.matMul(ops.reshape(x, [before, length]), weights), result);
  }
  const weights = ops.constant(tensorOf(x.dtype!, [matrix.length, length], flat));
  return ops.reshape(ops.matMul(weights, ops.reshape(x, [before, length, after])), result);
}

/** Whether row o has a single 1, at floor(o / repeats). */
function isRepetition(matrix: readonly (readonly number[])[], repeats: number): boolean {
  return (
    Number.isInteger(repeats) &&
    matrix.every((row, place) => row.every((weight, i) => weight === (i === Math.floor(place / repeats) ? 1 : 0)))
  );
}
