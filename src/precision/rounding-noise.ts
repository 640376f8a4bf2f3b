/** Noise for stochastic rounding. */
import type { Ops, RandomValues } from "../build/index.ts";
import type { Value } from "../program/index.ts";
import { type DType, elementCount } from "../tensor/index.ts";

/** Random numbers that a step makes; each tensor takes a piece of them from another place. */
const POOL = 2 ** 16;

/** Numbers of one tensor's piece, unless one example has more. */
const PIECE = 2 ** 13;

/** Tensors with more numbers than this in one example have their own: pieces of the pool would start at the same places. */
const MOST_SHARED = POOL / 4;

/** Places of pieces are so far apart, modulo the pool: an odd number, so that many tensors come before two begin alike. */
const STRIDE = 10_007;

/**
 * Uniform numbers in [-1/2, 1/2) for the rounding of many tensors. Tensors that are multiplied with each other must not have theirs
 * from one source: their errors would be alike, and the product's mean wrong.
 *
 * A random number takes as long as the product that a gradient's element is for, so numbers are shared: by examples of a tensor that
 * are far apart, and by tensors at different places. Each rounding is still unbiased, and no element meets its number again in the next
 * step.
 */
export class RoundingNoise {
  readonly #random: RandomValues;
  #pool: Value | undefined;
  #taken = 0;

  constructor(random: RandomValues) {
    this.#random = random;
  }

  /** Returns numbers [k, ...rest] for a tensor of shape [n k, ...rest]: as many rows as a piece has room for. */
  of(ops: Ops, shape: readonly number[], dtype: DType): Value {
    const noise = this.#float32(ops, shape);
    return dtype === "float32" ? noise : ops.cast(noise, dtype);
  }

  #float32(ops: Ops, shape: readonly number[]): Value {
    const [examples = 1, ...rest] = shape;
    const size = elementCount(rest);
    let rows = Math.max(1, Math.min(examples, Math.floor(PIECE / size)));
    while (examples % rows !== 0) rows--;
    const count = rows * size;
    if (count > MOST_SHARED) return ops.sub(this.#random.uniform([rows, ...rest]), 0.5);
    this.#pool ??= ops.sub(this.#random.uniform([POOL]), 0.5);
    const start = (this.#taken++ * STRIDE) % (POOL - count + 1);
    const piece = ops.slice(this.#pool, { axes: [0], starts: [start], ends: [start + count] });
    return ops.reshape(piece, [rows, ...rest]);
  }
}
