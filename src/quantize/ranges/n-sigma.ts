/** A fixed number of standard deviations: a baseline that shows why the clip must depend on the bits. */
import { OptionError } from "../../errors.ts";
import type { RangeMethod } from "./range-method.ts";
import { windowAround } from "./window.ts";

/**
 * Makes a method that clips at n sigmas around the mean, whatever the bits.
 *
 * @param n Above 0. Default 2, as in the published comparison (where it lost 58 points on ResNet-50 at 4 bits).
 * @throws OptionError unless n is a finite number above 0.
 */
export function nSigma(n = 2): RangeMethod {
  if (!(n > 0 && n < Number.POSITIVE_INFINITY)) throw new OptionError(`n-sigma: n must be a number above 0, got ${n}.`);
  return {
    name: "n-sigma",
    summary: `clip at ${n} standard deviations around the mean`,
    needs: "moments",
    choose: (statistics, request) => windowAround(statistics, n * statistics.standardDeviation, request),
  };
}
