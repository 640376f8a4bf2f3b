/** Deviations by what options call them. */
import { OptionError } from "../../errors.ts";
import { assertCount } from "../check-input.ts";
import type { Deviation } from "./deviation.ts";
import { largest } from "./largest.ts";
import { meanPower } from "./mean-power.ts";
import { range } from "./range.ts";

/**
 * What batch normalization divides by. Each is multiplied by a constant that makes it the standard deviation of normal numbers.
 *
 * - `"l2"`: the standard deviation. `"l1"`: the mean of |x - mean|. `{ p }`: the p-th root of the mean of |x - mean|^p.
 * - `"l-infinity"`: the largest |x - mean|. `{ top: k }`: the mean of the k largest.
 * - `"range"`: largest minus smallest; `{ range: chunks }`: the mean of the ranges of so many parts of the batch.
 * - `"none"`: nothing; the mean is subtracted, no more.
 */
export type DeviationChoice =
  | "l2"
  | "l1"
  | "l-infinity"
  | "range"
  | "none"
  | { readonly p: number }
  | { readonly top: number }
  | { readonly range: number };

/** Returns the deviation; undefined for "none". @throws OptionError if there is no such one. */
export function deviationOf(choice: DeviationChoice): Deviation | undefined {
  if (choice === "none") return undefined;
  if (choice === "l1") return meanPower(1);
  if (choice === "l2") return meanPower(2);
  if (choice === "l-infinity") return largest(1, "l-infinity");
  if (choice === "range") return range();
  if (typeof choice === "object" && "p" in choice) {
    if (choice.p >= 1 && choice.p < Number.POSITIVE_INFINITY) return meanPower(choice.p);
    throw new OptionError(
      `batchNorm: deviation.p must be a number of at least 1, got ${choice.p}. The largest magnitude is "l-infinity".`,
    );
  }
  if (typeof choice === "object" && "top" in choice) {
    assertCount(choice.top, "deviation.top", "batchNorm");
    return largest(choice.top);
  }
  if (typeof choice === "object" && "range" in choice) {
    assertCount(choice.range, "deviation.range", "batchNorm");
    return range(choice.range);
  }
  throw new OptionError(
    'batchNorm: deviation must be "l2", "l1", "l-infinity", "range", "none", { p }, { top } or { range }, ' +
      `got ${JSON.stringify(choice)}.`,
  );
}
