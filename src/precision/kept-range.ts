/** Ranges that go from step to step: for use after training, and for grids that are known before the numbers are. */
import type { Ops, VariableSource } from "../build/index.ts";
import type { Value } from "../program/index.ts";
import { type DType, zeros } from "../tensor/index.ts";
import type { ValueRange } from "./grid.ts";
import { watched } from "./ranges.ts";

/** Share of what was before in a running range; the published code's. */
const SHARE_OF_OLD = 0.1;

/** A number this many times outside of the range that was expected counts as a jump. */
const JUMP = 2;

/** Kept finite, so that one infinite number does not spoil all steps that follow. */
const LARGEST = 1e30;

/**
 * Reads a kept range for use: what a layer was trained with. It is NaN where x holds a number that is not finite, but in exported models,
 * whose integer products need ranges that are constants.
 */
export function readRange(ops: Ops, variables: VariableSource, path: string, x: Value): ValueRange {
  const kept = declare(variables, path, x.dtype!);
  return kept.constant ? partsOf(ops, kept) : watched(ops, x, partsOf(ops, kept));
}

/** Keeps the average of a range over steps, for use: run <- 0.1 run + 0.9 new. It begins at 0, which three steps forget. */
export function keepAverage(ops: Ops, variables: VariableSource, path: string, now: ValueRange): void {
  const kept = declare(variables, path, now.high.dtype!);
  const next = ops.add(ops.mul(kept, SHARE_OF_OLD), ops.mul(joined(ops, now), 1 - SHARE_OF_OLD));
  variables.update(path, next);
}

/** Keeps the average of a range over steps, and returns what it was before this one; in the first step `now`. */
export function runningRange(ops: Ops, variables: VariableSource, path: string, now: ValueRange): ValueRange {
  const before = keptOrNow(ops, variables, path, joined(ops, now));
  keepAverage(ops, variables, path, now);
  return partsOf(ops, before);
}

/**
 * Keeps the range of this step, and returns that of the step before; in the first step `now`. What leaves it is clipped for one
 * step, and counted under `path`Jumps where it goes far beyond.
 */
export function delayedRange(ops: Ops, variables: VariableSource, path: string, now: ValueRange): ValueRange {
  const current = ops.clip(joined(ops, now), -LARGEST, LARGEST);
  const before = keptOrNow(ops, variables, path, current);
  variables.update(path, current);
  countJumps(ops, variables, `${path}Jumps`, before, current);
  return partsOf(ops, before);
}

function keptOrNow(ops: Ops, variables: VariableSource, path: string, current: Value): Value {
  const kept = declare(variables, path, current.dtype!);
  const isNew = ops.equal(ops.reduceMax(ops.abs(kept), { keepDims: false }), 0);
  return ops.where(isNew, current, kept);
}

/** [low, high] */
function joined(ops: Ops, { low, high }: ValueRange): Value {
  const first = low ? ops.reshape(low, [1]) : ops.full([1], 0, high.dtype);
  return ops.concat([first, ops.reshape(high, [1])], 0);
}

function partsOf(ops: Ops, range: Value): ValueRange {
  const [low, high] = ops.split(range, 0, [1, 1]) as [Value, Value];
  return { low: ops.reshape(low, []), high: ops.reshape(high, []) };
}

function countJumps(ops: Ops, variables: VariableSource, path: string, before: Value, current: Value): void {
  const jumps = variables.declare(path, {
    shape: [],
    dtype: before.dtype!,
    role: "statistic",
    initial: zeros(before.dtype!, []),
  });
  const size = (range: Value): Value => ops.reduceMax(ops.abs(range), { keepDims: false });
  const jumped = ops.cast(ops.greater(size(current), ops.mul(size(before), JUMP)), before.dtype!);
  variables.update(path, ops.add(jumps, jumped));
}

function declare(variables: VariableSource, path: string, dtype: DType): Value {
  return variables.declare(path, { shape: [2], dtype, role: "statistic", initial: zeros(dtype, [2]) });
}
