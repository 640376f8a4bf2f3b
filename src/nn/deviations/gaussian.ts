/** What deviations are of normally distributed numbers with mean 0 and standard deviation 1. */

/**
 * Returns E|z|^p = 2^(p/2) Gamma((p + 1) / 2) / sqrt(pi).
 *
 * @see Norm matters, arXiv:1803.01814, section 3
 */
export function normalMoment(p: number): number {
  return (2 ** (p / 2) * gamma((p + 1) / 2)) / Math.sqrt(Math.PI);
}

/**
 * Returns the expected mean of the k largest of n magnitudes |z|, by Blom's plotting positions: the mean over j = 1 .. k of
 * Phi^-1(1 - (j - 0.375) / (2 n + 0.5)). Right to 0.4 % for n of 64 and more.
 */
export function expectedLargest(n: number, k: number): number {
  let sum = 0;
  for (let j = 1; j <= k; j++) sum += normalQuantile(1 - (j - 0.375) / (2 * n + 0.5));
  return sum / k;
}

/** Returns the expected range of n numbers, 2 Phi^-1((n - 0.375) / (n + 0.25)) (Blom): right to 0.5 % for n of 16 and more. */
export function expectedRange(n: number): number {
  return 2 * normalQuantile((n - 0.375) / (n + 0.25));
}

/** Lanczos's coefficients for g = 7. */
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
] as const; // biome-ignore format: a table

/** Gamma(x) for x of 0.5 and more. */
function gamma(x: number): number {
  const t = x + 6.5;
  const series = LANCZOS.reduce((sum, coefficient, i) => sum + (i === 0 ? coefficient : coefficient / (x - 1 + i)), 0);
  return Math.sqrt(2 * Math.PI) * t ** (x - 0.5) * Math.exp(-t) * series;
}

const [A, B] = [
  [-3.969683028665376e1, 2.209460984245205e2, -2.759285104469687e2, 1.38357751867269e2, -3.066479806614716e1, 2.506628277459239],
  [-5.447609879822406e1, 1.615858368580409e2, -1.556989798598866e2, 6.680131188771972e1, -1.328068155288572e1, 1],
] as const; // biome-ignore format: a table
const [C, D] = [
  [-7.784894002430293e-3, -3.223964580411365e-1, -2.400758277161838, -2.549732539343734, 4.374664141464968, 2.938163982698783],
  [7.784695709041462e-3, 3.224671290700398e-1, 2.445134137142996, 3.754408661907416, 1],
] as const; // biome-ignore format: a table

/** Phi^-1(probability): Acklam's rational approximation, right to 1e-9 of itself. */
function normalQuantile(probability: number): number {
  const tail = Math.min(probability, 1 - probability);
  if (tail < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(tail));
    const lower = polynomial(C, q) / polynomial(D, q);
    return probability < 0.5 ? lower : -lower;
  }
  const q = probability - 0.5;
  return (q * polynomial(A, q * q)) / polynomial(B, q * q);
}

function polynomial(coefficients: readonly number[], x: number): number {
  return coefficients.reduce((value, coefficient) => value * x + coefficient, 0);
}
