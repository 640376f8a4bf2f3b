/** Scattering with a reduction, where ONNX Runtime's ScatterND loses updates. */
import type { Ops } from "../build/index.ts";
import { staticShape, type Value } from "../program/index.ts";
import { elementCount, int64 } from "../tensor/index.ts";
import type { Lowering } from "./lowering.ts";

/**
 * ScatterND with a reduction as ScatterElements: on CPU, ONNX Runtime 1.30 lets several threads update one place at a time, and
 * of two updates one may be lost (its issues 18048 and 23396). ScatterElements updates in order, in one thread.
 */
const scatterND: Lowering = (node, ops, { device }) => {
  if (device === "webgpu" || device === "cuda" || node.string("reduction", "none") === "none") return undefined;
  const [data, indices, updates] = node.inputs.map((input) => input && staticShape(input));
  if (!data || !indices || !updates) return undefined;
  const depth = indices.at(-1)!;
  const [rows, places] = [elementCount(data.slice(0, depth)), elementCount(indices.slice(0, -1))];
  const width = elementCount(data.slice(depth));
  const at = rowNumbers(node.input(1), data.slice(0, depth), places, ops);
  const columns = (value: Value, count: number) => ops.transpose(ops.reshape(value, [count, width]), [1, 0]);
  // Along the last axis: three times as fast as along the first.
  const sums = ops.emit(
    "ScatterElements",
    [
      columns(node.input(0), rows),
      ops.expand(ops.reshape(at, [1, places]), [width, places]),
      columns(node.input(2), places),
    ],
    { axis: 1, reduction: node.string("reduction", "none") },
  );
  return [ops.reshape(ops.transpose(sums, [1, 0]), data)];
};

/** Returns which row of all the coordinates of each place mean, counted through the axes. */
function rowNumbers(indices: Value, lengths: readonly number[], places: number, ops: Ops): Value {
  const depth = lengths.length;
  if (depth === 1) return ops.reshape(indices, [places]);
  const strides = lengths.map((_, axis) => elementCount(lengths.slice(axis + 1)));
  const numbers = (values: readonly number[]) => ops.constant(int64(values));
  // Negative coordinates count from the end.
  const wrapped = ops.emit("Mod", [ops.add(ops.reshape(indices, [places, depth]), numbers(lengths)), numbers(lengths)]);
  return ops.reduceSum(ops.mul(wrapped, numbers(strides)), { axes: [1], keepDims: false });
}

export const scatter: Readonly<Record<string, Lowering>> = { ScatterND: scatterND };
