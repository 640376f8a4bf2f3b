/** The histogram a method needs, or a clear complaint. */
import { DataError } from "../../errors.ts";
import type { Histogram } from "../histogram.ts";
import { assertStatistics, type Statistics } from "../statistics.ts";
import type { RangeRequest } from "./range-method.ts";

/** Returns the histogram of the statistics; throws a DataError if there is none, it is empty, or a number is not finite. */
export function requiredHistogram(statistics: Statistics, request: RangeRequest, method: string): Histogram {
  const subject = request.subject ?? "the tensor";
  assertStatistics(statistics, subject);
  const { histogram } = statistics;
  if (!histogram?.counts.some((count) => count > 0)) {
    throw new DataError(`${method}: statistics of ${subject} must have a histogram with values, got none.`);
  }
  return histogram;
}
