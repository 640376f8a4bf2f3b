/** Logarithmic gradients without bias: powers of two for 4 bits and below. */
import type { Ops } from "../build/index.ts";
import type { Value } from "../program/index.ts";
import { watched } from "./ranges.ts";
import type { RoundingNoise } from "./rounding-noise.ts";

const LN2 = Math.LN2;
const MINIMUM = 1e-30;

/**
 * Rounds x to sign(x) alpha 2^k, k from 0 to 2^(M-1) - 2, or 0; each rounding is right in the mean:
 *
 *   alpha = max |x| / 2^(2^(M-1) - 2)
 *   |x| < alpha: alpha with probability |x| / alpha, else 0
 *   |x| >= alpha: of the two powers around |x| / alpha one at random, the upper with probability (|x| - lower) / (upper - lower)
 *
 * Simulated: no runtime multiplies such codes. M counts the sign.
 *
 * @see Chmiel et al. 2021, "Logarithmic Unbiased Quantization", arXiv:2112.10769, section 4
 */
export function logarithmic(
  ops: Ops,
  x: Value,
  { bits, noise }: { readonly bits: number; readonly noise: RoundingNoise },
): Value {
  const size = ops.abs(x);
  const levels = 2 ** (bits - 1) - 1;
  const { high } = watched(ops, x, { high: ops.reduceMax(size, { keepDims: false }) });
  // Maximum of NaN and a number may be either.
  const largest = ops.where(ops.less(high, MINIMUM), ops.scalar(MINIMUM, x.dtype!), high);
  const alpha = ops.mul(largest, 2 ** (1 - levels));
  const uniform = ops.add(repeated(ops, noise.of(ops, ops.shapeOf(x), x.dtype!), ops.shapeOf(x)), 0.5);
  const share = ops.div(size, alpha);
  const exponent = ops.floor(ops.mul(ops.log(ops.max(share, 1)), 1 / LN2));
  const lower = ops.exp(ops.mul(exponent, LN2));
  const large = ops.mul(lower, ops.add(1, ops.cast(ops.less(uniform, ops.sub(ops.div(share, lower), 1)), x.dtype!)));
  const small = ops.cast(ops.less(uniform, share), x.dtype!);
  const rounded = ops.where(ops.less(share, 1), small, large);
  return ops.straightThrough(x, ops.mul(ops.sign(x), ops.mul(rounded, alpha)));
}

/** [k, ...rest] as often as it takes along the first axis. */
function repeated(ops: Ops, noise: Value, shape: readonly number[]): Value {
  const [rows = 1] = ops.shapeOf(noise);
  const times = (shape[0] ?? 1) / rows;
  return times === 1
    ? noise
    : ops.tile(
        noise,
        shape.map((_, axis) => (axis === 0 ? times : 1)),
      );
}
