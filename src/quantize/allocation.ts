/** Sharing bits among channels: wide channels get more (ACIQ section 6). */
import { DataError, OptionError } from "../errors.ts";
import type { Side } from "./aciq/bin-count.ts";
import type { Allocation } from "./options.ts";
import type { Statistics } from "./statistics.ts";

/** The published code allocates bits only up to this nominal width: wider grids have little to gain. */
export const LARGEST_ALLOCATED_BITS = 4;

/** Options of `allocateBits`. */
export interface AllocateBitsOptions {
  /** Default "fixed-target". */
  readonly method?: Allocation;
  /** How a real number of bits becomes an integer. Default "round". */
  readonly rounding?: "round" | "ceil";
  /** Fewest bits of a channel. Default 0: see `zeroBitValue` for what such a channel becomes. */
  readonly minimum?: number;
  /** Most bits of a channel. Default 8. */
  readonly maximum?: number;
}

/** Rounds of the fixed-target iteration, and how close the mean must come, as in the published code. */
const ROUNDS = 10;
const CLOSE_ENOUGH = 0.01;

/**
 * Returns the bits of each channel, integers from `minimum` to `maximum`.
 *
 * - "none": `bits` for every channel.
 * - "plain": log2 of the channel's share of the bins (`allocateBins`), rounded. The mean falls below `bits` by rounding.
 * - "fixed-target": the same with the target t <- t + (bits - mean)/2, at most 10 rounds, until the mean is within 0.01.
 *   Unlike the published code, which returns the last round, this returns the round whose mean is closest.
 * - "bits-optimal": `bits + log2 a_i - mean log2 a`, the optimum when the budget is a mean of bits rather than of bins, with
 *   the same iteration.
 *
 * A channel of spread 0 (constant) gets `minimum` bits in all but "none"; what it does not use goes to the others.
 *
 * @param spreads One number of at least 0 per channel: sigma (the published default) or b.
 * @param bits Mean bits per channel, at least 0; need not be an integer, except for "none".
 * @throws DataError if a spread is negative or not finite; OptionError for impossible bits.
 */
export function allocateBits(
  spreads: ArrayLike<number>,
  bits: number,
  { method = "fixed-target", rounding = "round", minimum = 0, maximum = 8 }: AllocateBitsOptions = {},
): Uint8Array {
  assertSpreads(spreads, bits);
  if (!(minimum >= 0 && minimum <= maximum)) {
    throw new OptionError(`allocateBits: bits per channel must allow a number, got ${minimum} to ${maximum}.`);
  }
  if (method === "none") return new Uint8Array(spreads.length).fill(bits);
  const realBits = method === "bits-optimal" ? bitsOptimal : binsOptimal;
  const round = rounding === "round" ? Math.round : Math.ceil;
  const allocationAt = (target: number): Uint8Array =>
    Uint8Array.from(realBits(spreads, target), (real) => Math.min(Math.max(round(real), minimum), maximum));
  return method === "plain" ? allocationAt(bits) : closestToTarget(allocationAt, bits);
}

/**
 * Returns the real number of bins of each channel that minimizes sum a_i^2 / (3 B_i^2) under sum B_i = n 2^bits:
 * `B_i = n 2^bits a_i^(2/3) / sum_j a_j^(2/3)`. If every spread is 0, all get 2^bits.
 *
 * @throws DataError if a spread is negative or not finite; OptionError for impossible bits.
 */
export function allocateBins(spreads: ArrayLike<number>, bits: number): Float64Array {
  assertSpreads(spreads, bits);
  const powers = Float64Array.from(spreads, (spread) => spread ** (2 / 3));
  const sum = powers.reduce((a, b) => a + b, 0);
  const budget = spreads.length * 2 ** bits;
  return powers.map((power) => (sum > 0 ? (budget * power) / sum : 2 ** bits));
}

/** Returns the sum and the mean of allocated bits: the memory of a tensor is the sum over channels times their length. */
export function bitTotals(bits: ArrayLike<number>): { readonly sum: number; readonly mean: number } {
  let sum = 0;
  for (let i = 0; i < bits.length; i++) sum += bits[i]!;
  return { sum, mean: bits.length > 0 ? sum / bits.length : 0 };
}

/**
 * Returns the one number that all values of a 0-bit channel become: their mean; 0 when a ReLU follows. (The published code
 * takes the minimum, which only follows from its arithmetic.)
 */
export function zeroBitValue(statistics: Statistics, side: Side): number {
  return side === "one-sided" ? 0 : statistics.mean;
}

function binsOptimal(spreads: ArrayLike<number>, target: number): Float64Array {
  return allocateBins(spreads, target).map(Math.log2);
}

function bitsOptimal(spreads: ArrayLike<number>, target: number): Float64Array {
  const logs = Float64Array.from(spreads, Math.log2);
  const finite = logs.filter(Number.isFinite);
  if (finite.length === 0) return logs.fill(target);
  const mean = finite.reduce((a, b) => a + b, 0) / finite.length;
  const perChannel = (target * logs.length) / finite.length;
  return logs.map((log) => perChannel + log - mean);
}

function closestToTarget(allocationAt: (target: number) => Uint8Array, bits: number): Uint8Array {
  let target = bits;
  let best = allocationAt(target);
  let leastGap = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const allocation = allocationAt(target);
    const gap = bits - bitTotals(allocation).mean;
    if (Math.abs(gap) < leastGap) {
      best = allocation;
      leastGap = Math.abs(gap);
    }
    if (leastGap <= CLOSE_ENOUGH) break;
    target += gap / 2;
  }
  return best;
}

function assertSpreads(spreads: ArrayLike<number>, bits: number): void {
  if (!(bits >= 0 && bits <= 16)) throw new OptionError(`allocateBits: mean bits must be from 0 to 16, got ${bits}.`);
  for (let i = 0; i < spreads.length; i++) {
    if (spreads[i]! >= 0 && Number.isFinite(spreads[i])) continue;
    throw new DataError(`allocateBits: spreads must be finite and at least 0, got ${spreads[i]} for channel ${i}.`);
  }
}
