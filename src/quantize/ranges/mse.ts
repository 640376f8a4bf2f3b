/** The empirical optimum: the yardstick for every other method. */
import { gridFor, type Range } from "../grid.ts";
import { measuredMse } from "../measured-error.ts";
import { requiredHistogram } from "./histogram-of-request.ts";
import type { RangeMethod } from "./range-method.ts";
import { observedRange } from "./window.ts";

/** First look: this many ranges, geometrically shrunk from all values to this share of them. */
const CANDIDATES = 100;
const SMALLEST_SHARE = 0.002;
/** Then each end moves by these relative spreads in turn, this many places within each. */
const SPREADS = [0.25, 0.06, 0.015];
const PLACES = 10;

/** Searches the range with the least mean squared error on the histogram, moving both ends. Needs integer bits, as any grid does. */
export const mse: RangeMethod = {
  name: "mse",
  summary: "search for the range with the least squared error on the calibration data",
  needs: "histogram",
  choose: (statistics, request) => {
    const histogram = requiredHistogram(statistics, request, "mse");
    const whole = observedRange(statistics, request);
    if (whole.low === whole.high) return whole;
    const oneSided = request.side === "one-sided";
    const centre = oneSided ? 0 : Math.min(Math.max(statistics.mean, whole.low), whole.high);
    const below = centre - whole.low;
    const above = whole.high - centre;
    const errorOf = ({ low, high }: Range): number =>
      measuredMse(histogram, gridFor({ low, high }, request.bits), request);
    const rangeOf = (lowShare: number, highShare: number): Range => ({
      low: centre - lowShare * below,
      high: centre + highShare * above,
    });

    let best = { low: 1, high: 1, error: errorOf(whole) };
    const consider = (low: number, high: number): void => {
      const error = errorOf(rangeOf(low, high));
      if (error < best.error) best = { low, high, error };
    };
    for (let i = 1; i < CANDIDATES; i++) {
      const share = SMALLEST_SHARE ** (i / (CANDIDATES - 1));
      consider(share, share);
    }
    for (const spread of SPREADS) {
      const { high } = best;
      for (const factor of factors(spread)) consider(best.low, Math.min(1, high * factor));
      if (oneSided) continue;
      const { low } = best;
      for (const factor of factors(spread)) consider(Math.min(1, low * factor), best.high);
    }
    return best.low === 1 && best.high === 1 ? whole : rangeOf(best.low, best.high);
  },
};

function factors(spread: number): number[] {
  return Array.from({ length: 2 * PLACES + 1 }, (_, i) => 1 + (spread * (i - PLACES)) / PLACES);
}
