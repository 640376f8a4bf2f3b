/** Gradients of 3 x 3 kernels as one product: columns of inputs against rows of gradients. */
import type { Ops } from "../../build/index.ts";
import type { Value } from "../../program/index.ts";
import { int64 } from "../../tensor/index.ts";
import type { Codes } from "../quantized.ts";
import { signed } from "./codes.ts";
import type { Window } from "./integer-convolutions.ts";

/** Channels of inputs and of outputs from which on these products are faster than the float convolution on blocks. */
const LEAST_CHANNELS = 64;

/** Places below which windows laid side by side are shorter than these products. */
const LEAST_PLACES = 64;

/** Products that are summed apart: work for the threads, and sums of 32 bits that do not overflow. */
const GROUPS = 8;

/** Whether kernels are 3 x 3 that move by one place, and worth it. */
export function hasTaps({ kernel, strides, pads }: Window, shape: readonly number[], places: number): boolean {
  const isThree = kernel.join() === "3,3" && strides.join() === "1,1" && pads.join() === "1,1,1,1";
  return isThree && Math.min(shape[0]!, shape[1]!) >= LEAST_CHANNELS && places >= LEAST_PLACES;
}

/**
 * dw[o, c, r, s] = sum over places p of x[p + (r, s) - 1, c] dy[p, o]. Pictures lie behind each other with a row and a column of zeros between
 * them, so that a tap is a shift in one axis. Three shifts by a place of x, below each other, times three shifts by a row of dy, next
 * to each other, hold all nine taps: six copies in memory, where windows are nine.
 *
 * Shapes: x [batch, height, width, inputs], dy [batch, height, width, outputs] -> [outputs, inputs, 3, 3].
 */
export function tapGradients(ops: Ops, x: Codes, dy: Codes): Value {
  const [batch, height, width, inputs] = ops.shapeOf(x.codes) as [number, number, number, number];
  const outputs = ops.shapeOf(dy.codes)[3]!;
  const groups = Array.from({ length: GROUPS }, (_, index) => GROUPS - index).find((count) => batch % count === 0)!;
  const row = width + 1;
  const length = (batch / groups) * (height + 1) * row;
  const margin = row + 1;
  const padded = (codes: Codes, begin: readonly number[], end: readonly number[]): Value =>
    ops.emit("Pad", [codes.codes, ops.constant(int64([...begin, ...end])), codes.zeroPoint]);
  /** [groups, length, channels], with zeros before and after. */
  const spread = (codes: Codes, channels: number, zeros: number): Value => {
    const apart = ops.reshape(padded(codes, [0, 0, 0, 0], [0, 1, 1, 0]), [groups, length, channels]);
    return padded({ ...codes, codes: apart }, [0, zeros, 0], [0, zeros, 0]);
  };
  const right = signed(ops, dy);
  const across = ops.transpose(spread(x, inputs, margin), [0, 2, 1]);
  const columns = [-1, 0, 1].map((shift) =>
    ops.slice(across, { axes: [2], starts: [margin + shift], ends: [margin + shift + length] }),
  );
  const down = spread(right, outputs, row);
  // Kernel row 0 is a place above: dy moves down against x.
  const rows = [2, 1, 0].map((step) =>
    ops.slice(down, { axes: [1], starts: [row * step], ends: [row * step + length] }),
  );
  const sums = ops.emit("MatMulInteger", [ops.concat(columns, 1), ops.concat(rows, 2), x.zeroPoint, right.zeroPoint]);
  const total = ops.reduceSum(ops.cast(sums, "float32"), { axes: [0], keepDims: false });
  const dw = ops.mul(total, ops.mul(x.scale, dy.scale));
  // Kernel columns go behind channels in long runs first: single numbers move in matrices only, which is several times as fast.
  const taps = ops.transpose(ops.reshape(dw, [3, inputs, 3, outputs]), [1, 2, 0, 3]);
  const matrix = ops.transpose(ops.reshape(taps, [inputs * 9, outputs]), [1, 0]);
  return ops.reshape(matrix, [outputs, inputs, 3, 3]);
}
