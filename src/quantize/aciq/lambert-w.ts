/** The Lambert W function, which turns ACIQ's Laplace optimum into a closed form. */
import { OptionError } from "../../errors.ts";

/**
 * Returns W0(k), the y >= 0 with `y exp(y) = k`, for k >= 0; relative error of the identity below 1e-12.
 *
 * From k = 3 on: start `ln k - ln ln k` and Newton steps on `y + ln y - ln k` (ACIQ section 1). Below 3, where that start
 * is poor, start `ln(1 + k)` and Newton steps on `y exp(y) - k`.
 *
 * @throws OptionError if k is negative, infinite or NaN.
 */
export function lambertW0(k: number): number {
  if (!(k >= 0 && k < Number.POSITIVE_INFINITY)) {
    throw new OptionError(`lambertW0: k must be a finite number of at least 0, got ${k}.`);
  }
  if (k === 0) return 0;
  const logK = Math.log(k);
  if (k >= 3) {
    let y = logK - Math.log(logK);
    for (let step = 0; step < 5; step++) y -= ((y + Math.log(y) - logK) * y) / (y + 1);
    return y;
  }
  let y = Math.log1p(k);
  for (let step = 0; step < 8; step++) y -= (y - k * Math.exp(-y)) / (1 + y);
  return y;
}
