/** The optimal clip and its error for Laplace-distributed values (ACIQ sections 1 to 3; symbols alpha, b, M). */
import { type Side, symmetricBinCount, type Variant } from "./bin-count.ts";
import { lambertW0 } from "./lambert-w.ts";

/** Mean squared error of a quantizer, by cause. */
export interface MseParts {
  /** From values beyond the clip. */
  readonly clip: number;
  /** From rounding inside it. */
  readonly rounding: number;
}

/**
 * Returns the optimal clip in units of b: `alpha / b = W0(3 N^2)`, N the bins of the equivalent symmetric grid.
 *
 * At N = 2^M this is the paper's optimum in closed form (two-sided, `paper`: 5.0286 at M = 4).
 *
 * @param bits M, any real number of at least 0.
 */
export function laplaceAlpha(bits: number, side: Side, variant: Variant): number {
  return lambertW0(3 * symmetricBinCount(bits, side, variant) ** 2);
}

/**
 * Returns the expected squared error of clipping Laplace(0, b) at alpha and rounding to M bits:
 *
 *   two-sided:  2 b^2 exp(-alpha/b) + alpha^2 / (3 N^2)
 *   one-sided:    b^2 exp(-alpha/b) + alpha^2 / (24 N^2)
 *
 * with N = 2^M (`paper`) or 2^M - 1 (`levels`).
 */
export function laplaceMse(alpha: number, b: number, bits: number, side: Side, variant: Variant): MseParts {
  const half = side === "one-sided" ? 0.5 : 1;
  const bins = symmetricBinCount(bits, side, variant);
  return {
    clip: half * 2 * laplaceTail(alpha, b),
    rounding: (half * alpha ** 2) / (3 * bins ** 2),
  };
}

/** Returns E[(X - a)^2; X > a] for X ~ Laplace(0, b): the squared error of clipping at `a` from above. Any real a. */
export function laplaceTail(a: number, b: number): number {
  if (b === 0) return a < 0 ? a * a : 0;
  return a >= 0 ? b * b * Math.exp(-a / b) : 2 * b * b + a * a - b * b * Math.exp(a / b);
}

/** Returns P(X > a) for X ~ Laplace(0, b). */
export function laplaceAbove(a: number, b: number): number {
  if (b === 0) return a < 0 ? 1 : 0;
  return a >= 0 ? 0.5 * Math.exp(-a / b) : 1 - 0.5 * Math.exp(a / b);
}
