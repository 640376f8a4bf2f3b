/** Noise for stochastic rounding. */
import type { Ops, RandomValues } from "../build/index.ts";
import type { Value } from "../program/index.ts";
import { elementCount } from "../tensor/index.ts";

/** Random numbers of one tensor: making more of them takes longer than the product that the tensor is for. */
const MOST_NUMBERS = 2 ** 16;

/**
 * Returns uniform numbers in [-1/2, 1/2) for the rounding of a tensor: [k, ...rest] for the shape [n k, ...rest], of which
 * examples k apart share theirs where the tensor is large. Each rounding stays unbiased.
 */
export function roundingNoise(ops: Ops, random: RandomValues, shape: readonly number[]): Value {
  const [examples = 1, ...rest] = shape;
  const size = elementCount(rest);
  let rows = Math.max(1, Math.min(examples, Math.floor(MOST_NUMBERS / size)));
  while (examples % rows !== 0) rows--;
  return ops.sub(random.uniform([rows, ...rest]), 0.5);
}
