/** ACIQ's optimal clip for Laplace-distributed values. */
import { laplaceAlpha } from "../aciq/laplace.ts";
import { predictedMse } from "../aciq/predicted-mse.ts";
import type { RangeMethod } from "./range-method.ts";
import { windowAround } from "./window.ts";

/** Clips at alpha = b W0(3 * 4^bits) around the mean (ACIQ sections 1 to 4), b = mean|X - mu|. */
export const aciqLaplace: RangeMethod = {
  name: "aciq-laplace",
  summary: "analytical clipping, optimal for Laplace-distributed values",
  needs: "moments",
  choose: (statistics, request) =>
    windowAround(
      statistics,
      statistics.meanAbsoluteDeviation * laplaceAlpha(request.bits, request.side, request.variant),
      request,
    ),
  predictedMse: (statistics, range, request) => {
    const { clip, rounding } = predictedMse(statistics, range, request, "laplace");
    return clip + rounding;
  },
};
