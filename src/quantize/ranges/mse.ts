/** The empirical optimum: the yardstick for every other method. */
import { gridFor, type Range } from "../grid.ts";
import { errorMeter } from "../measured-error.ts";
import { aciqGauss } from "./aciq-gauss.ts";
import { aciqLaplace } from "./aciq-laplace.ts";
import { requiredHistogram } from "./histogram-of-request.ts";
import { minMax } from "./min-max.ts";
import type { RangeMethod } from "./range-method.ts";
import { observedRange } from "./window.ts";

/** Sweeps try this many positions of an end, geometrically from its extreme to this share of the way from the centre. */
const SWEEP = 40;
const SMALLEST_SHARE = 0.002;
const SHARES: readonly number[] = Array.from({ length: SWEEP }, (_, i) => SMALLEST_SHARE ** (i / (SWEEP - 1)));
/** Then each end moves by these relative spreads in turn, this many places within each. */
const SPREADS = [0.1, 0.03, 0.01];
const PLACES = 6;

/**
 * Searches the range with the least mean squared error on the histogram, moving both ends: from the best of `aciq-laplace`,
 * `aciq-gauss`, `min-max` and 40 shrunk copies of the observed range, by turns each end over all its positions, then finer.
 * At least as good as those methods on the data seen, by construction. Needs integer bits, as any grid does.
 */
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
    let best = whole;
    let leastError = Number.POSITIVE_INFINITY;
    const errorOf = errorMeter(histogram, request);
    const consider = (range: Range): void => {
      const error = errorOf(gridFor(range, request.bits));
      if (error >= leastError) return;
      best = range;
      leastError = error;
    };
    const highAt = (share: number): number => Math.min(whole.high, centre + share * (whole.high - centre));
    const lowAt = (share: number): number => Math.max(whole.low, centre - share * (centre - whole.low));

    for (const method of [minMax, aciqLaplace, aciqGauss]) {
      consider(method.choose(statistics, { ...request, window: "observed" }));
    }
    for (const share of SHARES) consider({ low: lowAt(share), high: highAt(share) });
    for (let round = 0; round < 2 && !oneSided; round++) {
      for (const share of SHARES) consider({ low: best.low, high: highAt(share) });
      for (const share of SHARES) consider({ low: lowAt(share), high: best.high });
    }
    for (const spread of SPREADS) {
      const { high } = best;
      for (const factor of factors(spread)) {
        consider({ low: best.low, high: Math.min(whole.high, centre + factor * (high - centre)) });
      }
      const { low } = best;
      for (const factor of oneSided ? [] : factors(spread)) {
        consider({ low: Math.max(whole.low, centre - factor * (centre - low)), high: best.high });
      }
    }
    return best;
  },
};

function factors(spread: number): number[] {
  return Array.from({ length: 2 * PLACES + 1 }, (_, i) => 1 + (spread * (i - PLACES)) / PLACES);
}
