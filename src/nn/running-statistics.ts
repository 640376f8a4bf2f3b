/** Running averages of what batches were normalized by. */
import type { Scope } from "../build/index.ts";
import type { Value } from "../program/index.ts";
import { type Tensor, tensorOf, toNumbers } from "../tensor/index.ts";

/**
 * What is kept of the denominator d: `variance` is d^2 (for L2 as PyTorch has it: without epsilon, and divided by n - 1),
 * `deviation` is d, `inverse` is 1 / d, as the reference code of arXiv:1803.01814 keeps it (whose mean is not 1 / the mean of d).
 */
export type KeptDeviation = "variance" | "deviation" | "inverse";

/** What the variable of each is called. */
export const KEPT_NAMES = {
  variance: "runningVariance",
  deviation: "runningDeviation",
  inverse: "runningInverse",
} as const;

/** Returns what is kept of denominators. */
export function keptOf(d: Value, kept: KeptDeviation, { ops }: Scope): Value {
  if (kept === "deviation") return d;
  return kept === "variance" ? ops.square(d) : ops.reciprocal(d);
}

/** Returns d^2 of what was kept; undefined where it is that already. */
export function squareOf(running: Value, kept: KeptDeviation, { ops }: Scope): Value {
  if (kept === "variance") return running;
  return ops.square(kept === "deviation" ? running : ops.reciprocal(running));
}

/** Returns what is kept of channels with these variances. */
export function startOf(variance: Tensor, kept: KeptDeviation, epsilon: number): Tensor {
  const squares = toNumbers(variance).map((value) => value + epsilon);
  if (kept === "variance") return tensorOf(variance.dtype, variance.shape, squares);
  const power = kept === "deviation" ? 0.5 : -0.5;
  return tensorOf(
    variance.dtype,
    variance.shape,
    squares.map((square) => square ** power),
  );
}

/**
 * Updates a running statistic by those of K ghost batches, one after the other:
 *
 *   running <- (1 - m)^K running + the sum over k = 1 .. K of m (1 - m)^(K - k) batch_k
 *
 * Shapes: batches [K, channels], running [channels].
 *
 * @see Train longer, generalize better, arXiv:1705.08741, algorithm 1
 */
export function updateRunning(scope: Scope, name: string, running: Value, batches: Value, momentum: number): void {
  const { ops } = scope;
  const [count, channels] = ops.shapeOf(batches) as [number, number];
  const shares = Array.from({ length: count }, (_, k) => momentum * (1 - momentum) ** (count - 1 - k));
  const weighted = ops.mul(batches, ops.constant(tensorOf(batches.dtype!, [count, 1], shares)));
  const sum = count === 1 ? ops.reshape(weighted, [channels]) : ops.reduceSum(weighted, { axes: [0], keepDims: false });
  scope.update(name, ops.add(ops.mul(running, (1 - momentum) ** count), sum));
}
