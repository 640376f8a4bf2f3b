/** The optimal clip and its error for normally distributed values (ACIQ sections 1 to 3; symbols alpha, sigma, M). */
import { type Side, symmetricBinCount, type Variant } from "./bin-count.ts";
import { erfc } from "./erfc.ts";
import type { MseParts } from "./laplace.ts";

/** The optimum lies below this many sigmas for every grid up to 50 bits. */
const LARGEST_ALPHA = 12;
/** Halvings of [0, 12] down to double precision. */
const BISECTIONS = 60;

/**
 * Returns the optimal clip in units of sigma: the root of
 *
 *   alpha (2 erfc(alpha/sqrt 2) + 2/(3 N^2)) = 2 sqrt(2/pi) exp(-alpha^2/2)
 *
 * by bisection, N the bins of the equivalent symmetric grid (two-sided, `paper`: 2.5591 at M = 4).
 *
 * @param bits M, any real number of at least 0; 0 bits of the `levels` variant have no bins and give 0.
 */
export function gaussAlpha(bits: number, side: Side, variant: Variant): number {
  const bins = symmetricBinCount(bits, side, variant);
  return bins === 0 ? 0 : alphaForBins(bins);
}

/** Every tensor and channel of a model asks for the same few. */
const knownAlphas = new Map<number, number>();

function alphaForBins(bins: number): number {
  const known = knownAlphas.get(bins);
  if (known !== undefined) return known;
  const slope = (alpha: number): number =>
    alpha * (2 * erfc(alpha / Math.SQRT2) + 2 / (3 * bins ** 2)) -
    2 * Math.sqrt(2 / Math.PI) * Math.exp((-alpha * alpha) / 2);
  let low = 0;
  let high = LARGEST_ALPHA;
  for (let step = 0; step < BISECTIONS; step++) {
    const middle = (low + high) / 2;
    if (slope(middle) < 0) low = middle;
    else high = middle;
  }
  const alpha = (low + high) / 2;
  knownAlphas.set(bins, alpha);
  return alpha;
}

/**
 * Returns the expected squared error of clipping Gauss(0, sigma) at alpha and rounding to M bits:
 *
 *   (alpha^2 + sigma^2) erfc(alpha/(sigma sqrt 2)) - sqrt(2/pi) alpha sigma exp(-alpha^2/(2 sigma^2)) + alpha^2/(3 N^2)
 *
 * with N = 2^M (`paper`) or 2^M - 1 (`levels`); one-sided: half the clip part, and alpha^2/(24 N^2).
 */
export function gaussMse(alpha: number, sigma: number, bits: number, side: Side, variant: Variant): MseParts {
  const half = side === "one-sided" ? 0.5 : 1;
  const bins = symmetricBinCount(bits, side, variant);
  return {
    clip: half * 2 * gaussTail(alpha, sigma),
    rounding: (half * alpha ** 2) / (3 * bins ** 2),
  };
}

/** Returns E[(X - a)^2; X > a] for X ~ Gauss(0, sigma): the squared error of clipping at `a` from above. Any real a. */
export function gaussTail(a: number, sigma: number): number {
  if (sigma === 0) return a < 0 ? a * a : 0;
  const standardized = a / sigma;
  const tail =
    ((standardized ** 2 + 1) * erfc(standardized / Math.SQRT2)) / 2 -
    (standardized * Math.exp((-standardized * standardized) / 2)) / Math.sqrt(2 * Math.PI);
  // Far out both terms agree to many digits and their difference may round below zero.
  return Math.max(0, tail) * sigma * sigma;
}

/** Returns P(X > a) for X ~ Gauss(0, sigma). */
export function gaussAbove(a: number, sigma: number): number {
  if (sigma === 0) return a < 0 ? 1 : 0;
  return 0.5 * erfc(a / (sigma * Math.SQRT2));
}
