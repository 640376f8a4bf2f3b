/** The complementary error function: tails of the normal distribution. No dependency of ours has one. */

/** Above this the continued fraction converges fast; below it the series loses no more than two digits to `1 - erf`. */
const SWITCH = 2;
/** Terms that bring both expansions to double precision at the switch, where they are slowest. */
const SERIES_TERMS = 60;
const FRACTION_TERMS = 120;

/**
 * Returns erfc(x) = 2/sqrt(pi) * integral of exp(-t^2) from x to infinity, relative error below 1e-13 for any x.
 *
 * @see Abramowitz, Stegun, "Handbook of Mathematical Functions", 7.1.6 (series) and 7.1.14 (continued fraction)
 */
export function erfc(x: number): number {
  if (x < 0) return 2 - erfc(-x);
  return x < SWITCH ? 1 - erfBySeries(x) : erfcByFraction(x);
}

/** 7.1.6: 2/sqrt(pi) exp(-x^2) sum 2^n x^(2n+1) / (2n+1)!!, all terms positive. */
function erfBySeries(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; n <= SERIES_TERMS; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** 7.1.14: exp(-x^2)/sqrt(pi) * 1/(x + (1/2)/(x + 1/(x + (3/2)/(x + ...)))), evaluated from its far end. */
function erfcByFraction(x: number): number {
  let denominator = x;
  for (let n = FRACTION_TERMS; n >= 1; n--) denominator = x + n / 2 / denominator;
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / denominator;
}
