/** The uniform grid of a quantizer: which real numbers its integer codes stand for. */

/** An interval of real numbers that is to be represented. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

/**
 * An affine grid: code q in {0 .. 2^bits - 1} stands for `(q - zeroPoint) * scale`. The zero point is an integer, so zero
 * is exact; it may lie outside the codes (ACIQ section 5), except in grids made by `deployableGrid`.
 */
export interface Grid {
  readonly bits: number;
  readonly scale: number;
  readonly zeroPoint: number;
}
