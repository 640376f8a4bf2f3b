/** ACIQ's optimal clip for normally distributed values. */
import { gaussAlpha } from "../aciq/gauss.ts";
import { predictedMse } from "../aciq/predicted-mse.ts";
import type { RangeMethod } from "./range-method.ts";
import { windowAround } from "./window.ts";

/** Clips at the Gauss optimum alpha * sigma around the mean (ACIQ sections 1 to 4). */
export const aciqGauss: RangeMethod = {
  name: "aciq-gauss",
  summary: "analytical clipping, optimal for normally distributed values",
  needs: "moments",
  choose: (statistics, request) =>
    windowAround(
      statistics,
      statistics.standardDeviation * gaussAlpha(request.bits, request.side, request.variant),
      request,
    ),
  predictedMse: (statistics, range, request) => {
    const { clip, rounding } = predictedMse(statistics, range, request, "gauss");
    return clip + rounding;
  },
};
