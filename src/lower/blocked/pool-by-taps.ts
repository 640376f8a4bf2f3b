/** The gradient of MaxPool tap by tap of its window: a few passes over memory each, where finding places takes many. */
import { type Ops, type PoolWindow, poolWindow } from "../../build/index.ts";
import type { Node, Value } from "../../program/index.ts";
import { offsetsOf } from "../forms/window.ts";

/** Below every number that is pooled, and finite. */
const LOWEST = -3.4e38;

/** What a max pool read and gave, and the gradient of that; all seen as [outer, ...lengths, inner]. */
export interface PooledValues {
  readonly node: Node;
  readonly dy: Value;
  readonly x: Value;
  readonly y: Value;
  /** Lengths along the pooled axes, of x and of y. */
  readonly lengths: readonly number[];
  readonly places: readonly number[];
  /** What all elements of the other axes are: before the pooled ones and after. */
  readonly outer: number;
  readonly inner: number;
}

/**
 * Gives each window's gradient to its largest element, the first of equal ones: taps in order take what is left of the gradient
 * where their element equals the maximum. Elements next to each other in memory, `inner` of them, go through a window together.
 *
 * Shapes: memory of dy and y [outer, ...places, inner], of x [outer, ...lengths, inner] -> memory as x.
 */
export function maxPoolGradientByTaps(ops: Ops, pooled: PooledValues): Value {
  const { node, lengths, places, outer, inner } = pooled;
  const window = poolWindow(node, lengths, places);
  const view = (value: Value, shape: readonly number[]) => ops.reshape(value, [outer, ...shape, inner]);
  const { kernel, before, after } = window;
  const x = view(pooled.x, lengths);
  const padded = before.concat(after).every((pad) => pad === 0)
    ? x
    : ops.pad(x, [0, ...before, 0, 0, ...after, 0], LOWEST);
  const y = view(pooled.y, places);
  const offsets = offsetsOf(kernel);
  let rest = view(pooled.dy, places);
  const taken = offsets.map((offset, index) => {
    // The last one takes all that is left.
    if (index === offsets.length - 1) return rest;
    const part = ops.mul(rest, isEqual(ops, tapOf(ops, padded, offset, window, places), y));
    rest = ops.sub(rest, part);
    return part;
  });
  return spread(ops, taken, offsets, window, pooled);
}

/** The elements that all windows have at one offset. */
function tapOf(
  ops: Ops,
  padded: Value,
  offset: readonly number[],
  { strides, dilations }: PoolWindow,
  places: readonly number[],
): Value {
  const starts = offset.map((position, axis) => position * dilations[axis]!);
  const ends = starts.map((start, axis) => start + (places[axis]! - 1) * strides[axis]! + 1);
  const axes = offset.map((_, axis) => axis + 1);
  return ops.slice(padded, { axes, starts, ends, steps: strides });
}

/** 1 where a = b, 0 where a < b. */
function isEqual(ops: Ops, a: Value, b: Value): Value {
  return ops.emit("HardSigmoid", [ops.sub(a, b)], { alpha: { float: 1e38 }, beta: { float: 1 } });
}

/**
 * Adds up what taps took at the elements they stand for. Window o has its tap at element stride o + offset dilation - before =
 * stride (o + moved) + phase: taps of a phase are moved and added, phases put next to each other.
 */
function spread(
  ops: Ops,
  taken: readonly Value[],
  offsets: readonly (readonly number[])[],
  { strides, dilations, before }: PoolWindow,
  { lengths, places, outer, inner }: PooledValues,
): Value {
  const each = lengths.map((length, axis) => Math.ceil(length / strides[axis]!));
  const sums = new Map<string, Value>();
  for (const [index, offset] of offsets.entries()) {
    const at = offset.map((position, axis) => position * dilations[axis]! - before[axis]!);
    const moved = at.map((element, axis) => Math.floor(element / strides[axis]!));
    const phase = at.map((element, axis) => element - moved[axis]! * strides[axis]!).join();
    const end = each.map((length, axis) => length - places[axis]! - moved[axis]!);
    const isInPlace = [...moved, ...end].every((pad) => pad === 0);
    const part = isInPlace ? taken[index]! : ops.pad(taken[index]!, [0, ...moved, 0, 0, ...end, 0]);
    const sum = sums.get(phase);
    sums.set(phase, sum ? ops.add(sum, part) : part);
  }
  const zeros = () => ops.full([outer, ...each, inner], 0);
  const phases = offsetsOf(strides).map((phase) => sums.get(phase.join()) ?? zeros());
  if (phases.length === 1) return phases[0]!;
  const rank = strides.length;
  const stacked = ops.concat(
    phases.map((phase) => ops.reshape(phase, [outer, 1, ...each, inner])),
    1,
  );
  const view = ops.reshape(stacked, [outer, ...strides, ...each, inner]);
  const order = strides.flatMap((_, axis) => [1 + rank + axis, 1 + axis]);
  const whole = each.map((length, axis) => length * strides[axis]!);
  const joined = ops.reshape(ops.transpose(view, [0, ...order, 1 + 2 * rank]), [outer, ...whole, inner]);
  if (whole.join() === lengths.join()) return joined;
  return ops.slice(joined, { axes: whole.map((_, axis) => axis + 1), starts: whole.map(() => 0), ends: lengths });
}
