/** Clipping a fixed share of the values: a common baseline. */
import { OptionError } from "../../errors.ts";
import { quantileOf } from "../histogram.ts";
import { requiredHistogram } from "./histogram-of-request.ts";
import type { RangeMethod } from "./range-method.ts";
import { observedRange } from "./window.ts";

/**
 * Makes a method that keeps `percent` percent of the values inside the range.
 *
 * Two-sided, the rest is cut off in equal parts at both ends; one-sided, at the top, the share being of all values after the
 * ReLU, zeros included. Where all that is kept is zeros, the range is [0, max].
 *
 * @param percent Above 50 and at most 100. Default 99.99.
 * @throws OptionError for other percents.
 */
export function percentile(percent = 99.99): RangeMethod {
  if (!(percent > 50 && percent <= 100)) {
    throw new OptionError(`percentile: percent must be above 50 and at most 100, got ${percent}.`);
  }
  return {
    name: "percentile",
    summary: `keep ${percent} % of the values`,
    needs: "histogram",
    choose: (statistics, request) => {
      const histogram = requiredHistogram(statistics, request, "percentile");
      const whole = observedRange(statistics, request);
      const cut = 1 - percent / 100;
      if (request.side === "one-sided") {
        const top = quantileOf(histogram, 1 - cut);
        return top > 0 ? { low: 0, high: Math.min(top, whole.high) } : whole;
      }
      return {
        low: Math.min(Math.max(quantileOf(histogram, cut / 2), whole.low), whole.high),
        high: Math.min(quantileOf(histogram, 1 - cut / 2), whole.high),
      };
    },
  };
}
