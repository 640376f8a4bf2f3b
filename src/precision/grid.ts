/**
 * The grid of a tensor inside a program: from the range of its numbers to scale and zero point. `quantize/grid.ts` has the same grids
 * on the host, where ranges are known; `test/quantize/grids-agree.test.ts` holds their codes equal.
 */
import type { Ops } from "../build/index.ts";
import type { Value } from "../program/index.ts";

/** The smallest scale: a constant tensor is divided by nothing smaller. */
const MINIMUM_SCALE = 1e-8;

/** What a grid spans: scalars, or one number for each channel, shaped to broadcast. */
export interface ValueRange {
  /** Absent: 0, where no number is negative. */
  readonly low?: Value | undefined;
  readonly high: Value;
}

/**
 * Which numbers codes stand for. `zero`: (code - zeroPoint) scale with a whole zero point, so that 0 is exact and integer
 * kernels take it. `symmetric`: the same with zero point 0. `range`: code scale + low, as
 * published: 0 may fall between two codes; simulated only.
 */
export type GridKind = "zero" | "symmetric" | "range";

/**
 * Rounds x to a grid of 2^bits codes: x-hat. Gradients pass as if it were x (straight through), clipped numbers included.
 *
 *   zero:       s = max((high - low) / (2^M - 1), 1e-8) with 0 in [low, high], z = round(-low / s), x-hat = (q - z) s
 *   symmetric:  s = max(max |x| / (2^(M-1) - 1), 1e-8), x-hat = q s
 *   range:      s = max((high - low) / (2^M - 1), 1e-8), x-hat = q s + low
 *
 * @param noise Added before rounding, uniform in [-1/2, 1/2): [k, ...rest] for x [n k, ...rest].
 * @see arXiv:1805.11046, section 2: the uniform quantizer of GEMMLOWP
 */
export function roundToGrid(
  ops: Ops,
  x: Value,
  { low, high }: ValueRange,
  { kind, bits, noise }: { readonly kind: GridKind; readonly bits: number; readonly noise?: Value | undefined },
): Value {
  const codes = (value: Value, scale: Value, zeroPoint: Value | undefined, lowest: number, highest: number): Value =>
    ops.emit("Quantized", [value, scale, zeroPoint, noise], { lowest, highest }, { domain: "modicum" });
  const scaleOf = (width: Value, steps: number): Value => ops.max(ops.div(width, steps), MINIMUM_SCALE);
  const steps = 2 ** bits - 1;
  if (kind === "symmetric") {
    const half = 2 ** (bits - 1);
    return codes(x, scaleOf(low ? ops.max(high, ops.neg(low)) : high, half - 1), undefined, -half, half - 1);
  }
  if (!low) return codes(x, scaleOf(high, steps), undefined, 0, steps);
  if (kind === "range") {
    const shifted = codes(ops.sub(x, low), scaleOf(ops.sub(high, low), steps), undefined, 0, steps);
    return ops.add(shifted, low);
  }
  const [from, to] = [ops.min(low, 0), ops.max(high, 0)];
  const scale = scaleOf(ops.sub(to, from), steps);
  return codes(x, scale, ops.round(ops.neg(ops.div(from, scale))), 0, steps);
}

/** The interval beyond which a grid clips. */
export function limitsOf(
  ops: Ops,
  { low, high }: ValueRange,
  kind: GridKind,
): { readonly low: Value; readonly high: Value } {
  const least = low ?? ops.mul(high, 0);
  if (kind === "range") return { low: least, high };
  if (kind === "zero") return { low: ops.min(least, 0), high: ops.max(high, 0) };
  const largest = ops.max(high, ops.neg(least));
  return { low: ops.neg(largest), high: largest };
}
