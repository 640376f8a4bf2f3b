/** Where a clip of half-width alpha lies: ACIQ sections 3 (one-sided) and 4 (two-sided). */
import type { Range } from "../grid.ts";
import { assertStatistics, type Statistics } from "../statistics.ts";
import type { RangeRequest } from "./range-method.ts";

/**
 * Returns the window for a half-width alpha.
 *
 *   two-sided, observed:   [max(min, mu - alpha), min(max, mu + alpha)]
 *   two-sided, reference:  [max(min, mu - alpha), that + 2 alpha]
 *   one-sided, observed:   [0, min(max(mu, 0) + alpha, max)], without the minimum when no value is positive
 *   one-sided, reference:  [0, max(mu, 0) + alpha]
 *
 * Ending at the observed maximum is an improvement over the paper: beyond it there is nothing to clip, so on the data seen
 * a shorter range only makes the steps finer. No window goes beyond `request.ceiling`.
 *
 * @throws DataError if the statistics are not finite.
 */
export function windowAround(statistics: Statistics, alpha: number, request: RangeRequest): Range {
  assertStatistics(statistics, request.subject ?? "the tensor");
  const { min, max, mean } = statistics;
  const { side, window = "observed" } = request;
  if (side === "one-sided") {
    const top = Math.max(mean, 0) + alpha;
    return limited({ low: 0, high: window === "observed" && max > 0 ? Math.min(top, max) : top }, request);
  }
  const low = Math.max(min, mean - alpha);
  const high = window === "observed" ? Math.min(max, mean + alpha) : low + 2 * alpha;
  return limited({ low, high: Math.max(low, high) }, request);
}

/** Returns the range of all observed values as the request sees them: from 0 when one-sided, up to the ceiling. */
export function observedRange(statistics: Statistics, request: RangeRequest): Range {
  assertStatistics(statistics, request.subject ?? "the tensor");
  const { min, max } = statistics;
  return limited(request.side === "one-sided" ? { low: 0, high: Math.max(max, 0) } : { low: min, high: max }, request);
}

function limited({ low, high }: Range, { ceiling = Number.POSITIVE_INFINITY }: RangeRequest): Range {
  return { low: Math.min(low, ceiling), high: Math.min(high, ceiling) };
}
