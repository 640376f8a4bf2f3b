/** No clipping: the baseline of every comparison. */

import type { RangeMethod } from "./range-method.ts";
import { observedRange } from "./window.ts";

/** The range of all observed values; one-sided: [0, max]. Whether max is over all data or a mean of batches is the caller's choice of statistics. */
export const minMax: RangeMethod = {
  name: "min-max",
  summary: "no clipping: from the smallest to the largest value seen",
  needs: "moments",
  choose: observedRange,
};
