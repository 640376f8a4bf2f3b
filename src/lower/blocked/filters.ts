/** Filters of blocked convolutions: [out, inputs, kernel] -> [out / block, inputs / block, kernel, inputs block, out block]. */
import type { Ops } from "../../build/index.ts";
import type { Value } from "../../program/index.ts";
import { elementCount, int64, zeros } from "../../tensor/index.ts";
import type { Taps } from "../forms/phases.ts";
import { blocksToChannels, channelsToBlocks, lastToBlocks } from "./nchwc.ts";

/** Returns a weight in the order the kernels want; inputs fewer than a block (pictures, depthwise) are not blocked. */
export function filterOf(ops: Ops, weight: Value, block: number): Value {
  const shape = ops.shapeOf(weight);
  const [out, inputs, ...kernel] = shape as [number, number, ...number[]];
  const taps = elementCount(kernel);
  // Channels of a single tap are in the right order already.
  const blocked = inputs < block || taps === 1 ? weight : channelsToBlocks(ops, weight, [out, inputs, taps]);
  return ops.reshape(channelsToBlocks(ops, blocked, [1, out, inputs * taps]), shape);
}

/**
 * Returns the filters that carry gradients from `out` back to `inputs`: for each of `phases` one, whose taps are those of the
 * weight at the given places.
 *
 * Shapes: weight [out, inputs, ...taps] -> [phases * inputs, out, ...kernel], as the kernels want it.
 */
export function transposedFilter(
  ops: Ops,
  weight: Value,
  phases: readonly Taps[],
  kernel: readonly number[],
  block: number,
): Value {
  const [out, inputs, ...sizes] = ops.shapeOf(weight) as [number, number, ...number[]];
  const taps = elementCount(sizes);
  const [outBlocks, inputBlocks] = [out / block, inputs / block];
  const rows = channelsToBlocks(ops, weight, [1, out, inputs * taps]);
  const squares = channelsToBlocks(ops, rows, [outBlocks * inputBlocks, block, taps * block]);
  const count = outBlocks * inputBlocks * taps;
  const order: number[] = [];
  for (const phase of phases)
    for (let j = 0; j < inputBlocks; j++)
      for (let i = 0; i < outBlocks; i++)
        for (const tap of phase) order.push(tap === undefined ? count : (i * inputBlocks + j) * taps + tap);
  const known = ops.reshape(squares, [count, block * block]);
  const all = order.includes(count)
    ? ops.concat([known, ops.constant(zeros("float32", [1, block * block]))], 0)
    : known;
  return ops.reshape(ops.gather(all, ops.constant(int64(order))), [phases.length * inputs, out, ...kernel]);
}

/**
 * Puts a weight's gradient in the weight's order: memory [out / block, taps, inputs, block of out] -> [out, inputs, taps].
 */
export function weightOrder(ops: Ops, gradient: Value, shape: readonly number[], block: number): Value {
  const [out, inputs, ...kernel] = shape as [number, number, ...number[]];
  const taps = elementCount(kernel);
  const rows = blocksToChannels(ops, gradient, [1, out, taps * inputs]);
  if (taps === 1) return ops.reshape(rows, shape);
  if (inputs % block !== 0) return ops.reshape(ops.transpose(ops.reshape(rows, [out, taps, inputs]), [0, 2, 1]), shape);
  const blocks = lastToBlocks(ops, rows, [out, inputs, taps]);
  return ops.reshape(blocksToChannels(ops, blocks, [out, inputs, taps]), shape);
}
