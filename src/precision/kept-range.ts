/** Ranges that go from step to step: for use after training, and for grids that are known before the numbers are. */
import type { Ops, VariableSource } from "../build/index.ts";
import type { Value } from "../program/index.ts";
import { type DType, zeros } from "../tensor/index.ts";
import type { ValueRange } from "./grid.ts";

/** Share of what was before in a running range; the published code's. */
const SHARE_OF_OLD = 0.1;

/** A number this many times outside of the range that was expected counts as a jump. */
const JUMP = 2;

/** Kept finite, so that one infinite number does not spoil all steps that follow. */
const LARGEST = 1e30;

/** What is kept of a range. */
export type Keeping = "average" | "last";

/** Reads a kept range for use: what a layer was trained with. */
export function readRange(ops: Ops, variables: VariableSource, path: string, dtype: DType): ValueRange {
  const [low, high] = ops.split(declare(variables, path, dtype), 0, [1, 1]) as [Value, Value];
  return { low: ops.reshape(low, []), high: ops.reshape(high, []) };
}

/**
 * Keeps the range of this step, `now`, and returns what was kept before it: the average over steps, run <- 0.1 run + 0.9 new,
 * or the last one. In the first step that is `now` itself.
 */
export function keepRange(
  ops: Ops,
  variables: VariableSource,
  { path, now, keeping }: { readonly path: string; readonly now: ValueRange; readonly keeping: Keeping },
): ValueRange {
  const kept = declare(variables, path, now.low.dtype!);
  const current = ops.clip(ops.concat([ops.reshape(now.low, [1]), ops.reshape(now.high, [1])], 0), -LARGEST, LARGEST);
  const isNew = ops.equal(ops.reduceMax(ops.abs(kept), { keepDims: false }), 0);
  const before = ops.where(isNew, current, kept);
  const next =
    keeping === "last" ? current : ops.add(ops.mul(before, SHARE_OF_OLD), ops.mul(current, 1 - SHARE_OF_OLD));
  variables.update(path, next);
  if (keeping === "last") countJumps(ops, variables, `${path}Jumps`, before, current);
  const [low, high] = ops.split(before, 0, [1, 1]) as [Value, Value];
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
