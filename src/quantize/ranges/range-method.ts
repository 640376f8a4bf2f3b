/** The contract of a clipping method: from statistics to the interval worth representing. */
import type { Side, Variant } from "../aciq/bin-count.ts";
import type { Range } from "../grid.ts";
import type { Statistics } from "../statistics.ts";

/** What a range is wanted for. */
export interface RangeRequest {
  /** Bits of the grid; any real number above 0 is allowed where the formula allows it. */
  readonly bits: number;
  /**
   * "one-sided" for a tensor that a ReLU follows: the statistics are those before the ReLU, the range starts at 0
   * (ACIQ section 3).
   */
  readonly side: Side;
  /** "paper": 2^bits bins, as the paper's formulas; "levels": 2^bits levels, as a real grid has (2^bits - 1 steps). */
  readonly variant: Variant;
  /**
   * Where the clip window lies, for methods that choose a half-width alpha around the mean (ACIQ section 4).
   *
   * "observed" (default): never beyond the observed minimum and maximum. "reference": as the published code, 2 alpha wide
   * even where that reaches beyond the data; it slides up when the minimum is above `mean - alpha`.
   */
  readonly window?: "observed" | "reference";
  /** Largest value that the following activation function lets through (ReLU6: 6); no range goes beyond. Default infinite. */
  readonly ceiling?: number;
  /** Name of the tensor, for error messages. */
  readonly subject?: string;
}

/** A way to choose the range of an activation (or weight) tensor. */
export interface RangeMethod {
  /** Name on the command line, and key in the record of `ranges/index.ts`. */
  readonly name: string;
  /** One line for `--help`. */
  readonly summary: string;
  /** What `choose` reads: a method that needs the histogram costs a second pass over the calibration data. */
  readonly needs: "moments" | "histogram";
  /**
   * Returns the range. One-sided ranges start at 0; a tensor that is constant, or one-sided without a positive value, may
   * get a range of one number (`gridFor` represents it exactly).
   *
   * @throws DataError if the statistics are not finite, or lack the histogram that the method needs.
   */
  choose(statistics: Statistics, request: RangeRequest): Range;
  /** Returns the mean squared error that the method's model of the distribution expects; absent without such a model. */
  predictedMse?(statistics: Statistics, range: Range, request: RangeRequest): number;
}
