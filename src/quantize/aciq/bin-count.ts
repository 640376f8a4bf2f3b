/** How many bins a grid of M bits lays over the clip window: the one symbol in which ACIQ's variants differ. */
import { OptionError } from "../../errors.ts";

/** "one-sided": a ReLU follows, the grid covers [0, top] (ACIQ section 3); "two-sided": it covers [mu - alpha, mu + alpha]. */
export type Side = "two-sided" | "one-sided";

/** "paper": 2^M bins, values rounded to bin midpoints; "levels": 2^M levels, hence 2^M - 1 steps (ACIQ section 2). */
export type Variant = "paper" | "levels";

/**
 * Returns the number of bins over the window: 2^bits (`paper`) or 2^bits - 1 (`levels`); real for real bits.
 *
 * @throws OptionError unless bits is a finite number of at least 0.
 */
export function binCount(bits: number, variant: Variant): number {
  if (!(bits >= 0 && bits < Number.POSITIVE_INFINITY)) {
    throw new OptionError(`quantize: bits must be a finite number of at least 0, got ${bits}.`);
  }
  return variant === "paper" ? 2 ** bits : 2 ** bits - 1;
}

/**
 * Returns the bins of the symmetric problem with the same optimum: a one-sided grid spends all its bins on half the
 * window, so its optimum is that of a two-sided grid with twice the bins (ACIQ section 3).
 */
export function symmetricBinCount(bits: number, side: Side, variant: Variant): number {
  return binCount(bits, variant) * (side === "one-sided" ? 2 : 1);
}
