/** The contract of a clipping method: from statistics to the interval worth representing. */
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
  readonly side: "two-sided" | "one-sided";
  /** "paper": 2^bits bins, as the paper's formulas; "levels": 2^bits levels, as a real grid has (2^bits - 1 steps). */
  readonly variant: "paper" | "levels";
}

/** A way to choose the range of an activation (or weight) tensor. */
export interface RangeMethod {
  /** Name on the command line, and key in the record of `ranges/index.ts`. */
  readonly name: string;
  /** One line for `--help`. */
  readonly summary: string;
  /** What `choose` reads: a method that needs the histogram costs a second pass over the calibration data. */
  readonly needs: "moments" | "histogram";
  choose(statistics: Statistics, request: RangeRequest): Range;
}
