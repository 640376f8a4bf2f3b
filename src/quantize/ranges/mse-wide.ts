/** The widest range that is nearly as good as the empirical optimum: for grids fine enough to afford it. */
import { gridFor, type Range } from "../grid.ts";
import { errorMeter } from "../measured-error.ts";
import { requiredHistogram } from "./histogram-of-request.ts";
import { mse } from "./mse.ts";
import type { RangeMethod } from "./range-method.ts";
import { observedRange } from "./window.ts";

/** How much of the least squared error a wider range may have. */
const SLACK = 1.3;
/** With fewer bits no step can be spared. */
const LEAST_BITS = 8;
/** Halvings of the interval between the best range and the whole: a relative precision of 1/4096. */
const HALVINGS = 12;

/**
 * Widens the range of `mse` at both ends, in proportion, to where its squared error is 1.3 times the least, at most to all
 * values seen.
 *
 * Errors of rounding are as often up as down and average out where a layer sums over many inputs; errors of clipping all
 * point the same way and add up. The squared error of a tensor counts both alike, so its minimum clips too much. At 8 bits
 * the steps are fine enough to give some of them away; below that the range is that of `mse`.
 */
export const mseWide: RangeMethod = {
  name: "mse-wide",
  summary: "the widest range with at most 1.3 times the squared error of mse, at 8 bits",
  needs: "histogram",
  choose: (statistics, request) => {
    const best = mse.choose(statistics, request);
    const whole = observedRange(statistics, request);
    if (whole.low === whole.high || request.bits < LEAST_BITS) return best;
    const errorOf = errorMeter(requiredHistogram(statistics, request, "mse-wide"), request);
    const most = SLACK * errorOf(gridFor(best, request.bits));
    const at = (share: number): Range => ({
      low: best.low + share * (whole.low - best.low),
      high: best.high + share * (whole.high - best.high),
    });
    const isGood = (share: number): boolean => errorOf(gridFor(at(share), request.bits)) <= most;
    if (isGood(1)) return whole;
    let inside = 0;
    let outside = 1;
    for (let i = 0; i < HALVINGS; i++) {
      const middle = (inside + outside) / 2;
      if (isGood(middle)) inside = middle;
      else outside = middle;
    }
    return at(inside);
  },
};
