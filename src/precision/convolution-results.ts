/** Results of wide convolutions on grids that are known before the numbers are, as convolutions of bytes need them. */
import type { Ops, VariableSource } from "../build/index.ts";
import { type Node, staticShape, type Value } from "../program/index.ts";
import { elementCount, zeros } from "../tensor/index.ts";
import { roundToGrid, type ValueRange } from "./grid.ts";

/** Channels of inputs and of outputs from which on convolutions of bytes are faster than float ones. */
const LEAST_CHANNELS = 64;

/** The range of the next step over the largest number of this one. */
const ROOM = 1.1;

/** What a range grows by that was too small, unless it is far below the expected one. */
const GROWTH = 2;

/** Share of the expected range that a range jumps to which was too small. */
const SURE = 1 / 4;

/** Kept finite, so that one infinite number does not spoil all steps that follow. */
const LARGEST = 1e30;

/** Whether results of a convolution of pictures are worth codes. */
export function isWide(node: Node): boolean {
  const shape = node.inputs[1] && staticShape(node.inputs[1]);
  if (node.operator !== "Conv" || shape?.length !== 4 || node.int("group", 1) !== 1) return false;
  return Math.min(shape[0]!, shape[1]!) >= LEAST_CHANNELS;
}

/** What is rounded: a product of two rounded operands. */
export interface ProductResult {
  readonly y: Value;
  readonly operands: readonly [data: Value, weight: Value];
  readonly variables: VariableSource;
  /** Of the range that is kept. */
  readonly path: string;
}

/** A rounded result. */
export interface RoundedResult {
  readonly rounded: Value;
  readonly range: ValueRange;
}

/**
 * Rounds a result to 255 codes around 0, whose range follows from the codes of the step before: 1.1 times the largest one, at least
 * twice the range where that was full, which `path`Jumps counts. The exact numbers are looked at nowhere. In the first step, and after one of zeros, the
 * range is what independent operands would give.
 */
export function roundResult(ops: Ops, { y, operands, variables, path }: ProductResult): RoundedResult {
  const dtype = y.dtype!;
  const declare = (name: string): Value =>
    variables.declare(name, { shape: [], dtype, role: "statistic", initial: zeros(dtype, []) });
  const finite = (value: Value, otherwise: Value): Value => ops.where(ops.less(value, LARGEST), value, otherwise);
  const kept = declare(path);
  const expected = expectedRange(ops, operands);
  const known = ops.where(ops.greater(kept, 0), kept, expected);
  // Codes have no NaN: operands that do must not go on as if nothing had happened.
  const range = { high: ops.add(known, ops.mul(expected, 0)) };
  const rounded = roundToGrid(ops, y, range, { kind: "symmetric", bits: 8 });
  const largest = ops.max(
    ops.reduceMax(rounded, { keepDims: false }),
    ops.neg(ops.reduceMin(rounded, { keepDims: false })),
  );
  const isFull = ops.greater(largest, ops.mul(known, 1 - 1 / 256));
  const next = ops.where(isFull, ops.max(ops.mul(known, GROWTH), ops.mul(expected, SURE)), ops.mul(largest, ROOM));
  variables.update(path, finite(next, finite(known, ops.scalar(0, dtype))));
  const jumps = declare(`${path}Jumps`);
  variables.update(`${path}Jumps`, ops.add(jumps, ops.cast(isFull, dtype)));
  return { rounded, range: { low: ops.neg(range.high), high: range.high } };
}

/** Of sums of independent products, the largest: half of what the widths of both grids and the square root of their count make. */
function expectedRange(ops: Ops, [data, weight]: readonly [Value, Value]): Value {
  const [outputs, ...rest] = ops.shapeOf(weight) as [number, ...number[]];
  const count = Math.max(outputs, elementCount(rest));
  const [a, b] = [data, weight].map((operand) => operand.producer!.input(1)) as [Value, Value];
  return ops.mul(ops.mul(a, b), (255 * 127 * Math.sqrt(count)) / 2);
}
