/** The error a prior predicts for a given range, which need not be the prior's own optimum. */
import type { Range } from "../grid.ts";
import type { Statistics } from "../statistics.ts";
import { binCount, type Side, type Variant } from "./bin-count.ts";
import { gaussAbove, gaussTail } from "./gauss.ts";
import { laplaceAbove, laplaceTail, type MseParts } from "./laplace.ts";

/** A model of how values are distributed around their mean. */
export type Prior = "laplace" | "gauss";

/** What an error is predicted for; a `RangeRequest` is one. */
export interface PredictionRequest {
  readonly bits: number;
  readonly side: Side;
  readonly variant: Variant;
  readonly ceiling?: number;
}

/**
 * Returns the expected squared error of quantizing values on 2^bits levels over a range, under a prior.
 *
 * Clip part: the prior's tails beyond either end, 0 for an end at or beyond the observed extreme (or the ceiling), where
 * nothing is left to clip. Rounding part: D^2/12 with `D = (high - low) / N`, N = 2^bits (`paper`) or 2^bits - 1
 * (`levels`); one-sided only for the positive share of the values. With a window of mu +- alpha these are the formulas of
 * ACIQ sections 1 to 3.
 *
 * For a ceiling inside the prior's tail the clip part is an upper bound: values above the ceiling count as if unclipped.
 */
export function predictedMse(statistics: Statistics, range: Range, request: PredictionRequest, prior: Prior): MseParts {
  const { mean, min, max, meanAbsoluteDeviation, standardDeviation } = statistics;
  const { side, bits, variant, ceiling = Number.POSITIVE_INFINITY } = request;
  const spread = prior === "laplace" ? meanAbsoluteDeviation : standardDeviation;
  const tail = prior === "laplace" ? laplaceTail : gaussTail;
  const above = prior === "laplace" ? laplaceAbove : gaussAbove;
  const highClip = range.high >= Math.min(max, ceiling) ? 0 : tail(range.high - mean, spread);
  const lowClip = side === "one-sided" || range.low <= min ? 0 : tail(mean - range.low, spread);
  const step = (range.high - range.low) / binCount(bits, variant);
  const share = side === "one-sided" ? above(-mean, spread) : 1;
  return { clip: highClip + lowClip, rounding: range.high > range.low ? (share * step * step) / 12 : 0 };
}
