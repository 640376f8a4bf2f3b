/**
 * The uniform grid of a quantizer: which real numbers its integer codes stand for. `precision/grid.ts` forms the same grids inside
 * training steps, from ranges that are known only there; `test/quantize/grids-agree.test.ts` holds their codes equal.
 */
import { DataError, OptionError } from "../errors.ts";
import { roundHalfEven } from "../tensor/index.ts";

/** An interval of real numbers that is to be represented. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

/**
 * An affine grid: code q in {lowestCode .. lowestCode + 2^bits - 1} stands for `(q - zeroPoint) * scale`.
 *
 * The zero point is an integer, so zero is exact wherever it lies within the codes; `gridFor` may put it outside (ACIQ
 * section 5), `deployableGrid` and `symmetricGrid` never do. The scale is a float32 number, as ONNX stores it.
 */
export interface Grid {
  readonly bits: number;
  readonly scale: number;
  readonly zeroPoint: number;
  /** 0 for activations (unsigned codes), -2^(bits - 1) for symmetric weights (two's complement). */
  readonly lowestCode: number;
}

/** A grid of an activation, in units of the tensor or, with `channelScales`, of each of its channels. */
export interface ActivationGrid extends Grid {
  /** A code of channel c (axis 1) stands for this many times what the grid says. See `scalableResults`. */
  readonly channelScales?: Float32Array | undefined;
}

/** The smallest scale of any grid, so that nothing is ever divided by zero (ACIQ section 5). */
export const MINIMUM_SCALE: number = Math.fround(1e-8);

/** Returns the highest code of a grid. */
export function highestCode(grid: Grid): number {
  return grid.lowestCode + 2 ** grid.bits - 1;
}

/** Returns the interval between the numbers that a grid's lowest and highest codes stand for. */
export function gridRange(grid: Grid): Range {
  return {
    low: (grid.lowestCode - grid.zeroPoint) * grid.scale,
    high: (highestCode(grid) - grid.zeroPoint) * grid.scale,
  };
}

/**
 * Makes the GEMMLOWP grid of a range (ACIQ section 5): `scale = max((high - low) / (2^bits - 1), 1e-8)`,
 * `zeroPoint = round(-low / scale)`, not clamped: a range away from zero keeps its full resolution.
 *
 * A range of one number other than 0 (a constant tensor) gets that number's magnitude as scale: it comes back unchanged.
 *
 * @param bits Integer from 1 to 16.
 * @throws OptionError for other bits; DataError for a range that is not finite and ordered.
 */
export function gridFor(range: Range, bits: number): Grid {
  assertBits(bits);
  assertRange(range);
  const { low, high } = range;
  if (low === high && low !== 0) {
    const scale = Math.max(Math.fround(Math.abs(low)), MINIMUM_SCALE);
    return { bits, scale, zeroPoint: low > 0 ? 0 : 1, lowestCode: 0 };
  }
  const scale = Math.max(Math.fround((high - low) / (2 ** bits - 1)), MINIMUM_SCALE);
  return { bits, scale, zeroPoint: roundHalfEven(-low / scale) + 0, lowestCode: 0 };
}

/**
 * Makes the grid of a single number, 0 bits: whatever is rounded to it becomes that number.
 *
 * @throws DataError if the number is not finite.
 */
export function constantGrid(value: number): Grid {
  assertRange({ low: value, high: value });
  const scale = Math.max(Math.fround(Math.abs(value)), MINIMUM_SCALE);
  return { bits: 0, scale, zeroPoint: -Math.sign(value) + 0, lowestCode: 0 };
}

/**
 * Makes a grid that unsigned-integer operators accept: the range is widened to include 0 and the zero point lies within
 * the codes {0 .. 2^bits - 1}.
 *
 * @param bits Integer from 1 to 16.
 * @throws OptionError for other bits; DataError for a range that is not finite and ordered.
 */
export function deployableGrid(range: Range, bits: number): Grid {
  assertRange(range);
  return gridFor({ low: Math.min(range.low, 0), high: Math.max(range.high, 0) }, bits);
}

/**
 * Makes the signed grid of symmetric weights: zero point 0, codes -2^(bits-1) .. 2^(bits-1) - 1, `scale = maxAbs /
 * (2^(bits-1) - 1)`.
 *
 * With `maxAbs` the largest magnitude the code -2^(bits-1) is never reached; with a smaller one (clipped weights) negative
 * outliers may take it, one step further out than positive ones can go. All of ONNX Runtime's integer kernels accept it.
 *
 * @param bits Integer from 2 to 16.
 * @throws OptionError for other bits; DataError unless maxAbs is finite and at least 0.
 */
export function symmetricGrid(maxAbs: number, bits: number): Grid {
  assertBits(bits);
  if (bits < 2) throw new OptionError(`symmetricGrid: bits must be at least 2, got ${bits}.`);
  if (!(maxAbs >= 0 && maxAbs < Number.POSITIVE_INFINITY)) {
    throw new DataError(`symmetricGrid: the largest magnitude must be a finite number of at least 0, got ${maxAbs}.`);
  }
  const scale = Math.max(Math.fround(maxAbs / (2 ** (bits - 1) - 1)), MINIMUM_SCALE);
  return { bits, scale, zeroPoint: 0, lowestCode: -(2 ** (bits - 1)) };
}

function assertBits(bits: number): void {
  if (!Number.isInteger(bits) || bits < 1 || bits > 16) {
    throw new OptionError(`quantize: bits of a grid must be an integer from 1 to 16, got ${bits}.`);
  }
}

function assertRange(range: Range): void {
  if (!(Number.isFinite(range.low) && Number.isFinite(range.high) && range.low <= range.high)) {
    throw new DataError(`quantize: a range must be finite and ordered, got [${range.low}, ${range.high}].`);
  }
}
