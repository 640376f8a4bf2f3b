/** Rounding weights so that sums of products stay right, not only each weight: ACIQ's mean correction on the integer grid. */
import type { InputMoments } from "./calibrate.ts";
import { channelLayout } from "./channel-layout.ts";
import { CheapestFirst } from "./cheapest-first.ts";
import { type Grid, highestCode } from "./grid.ts";
import type { ChannelAxis } from "./quantize-values.ts";

/**
 * How strongly inputs vary together, as a share of their squared means: the brightness of a picture scales all of them.
 * What the bias corrects is the average; this is the part of `sum_k m_k (W_k - Wq_k)` that it cannot correct.
 */
const COMMON_VARIATION = 0.25;

/**
 * Changes codes of weights by one step where that lessens the expected squared error of the output,
 *
 *   rho^2 (sum_k m_k d_k)^2 + sum_k v_k d_k^2,   d = W - Wq,
 *
 * with m and v mean and variance of the input that each weight meets and rho^2 = COMMON_VARIATION. Nearest rounding lessens
 * only the second term; the first is the error of the channel's mean, which ACIQ corrects beside the grid. The codes whose
 * remainders are nearest to one half are moved first: they cost least.
 *
 * @param codes Nearest codes, [.., channels, ..] as `where` says; changed in place.
 * @param inputs Moments of the input that each weight of a channel meets, in the order of that channel's elements.
 * @see Guo et al. 2022, "SQuant: On-the-fly data-free quantization via diagonal Hessian approximation", arXiv:2202.07471,
 *   which moves codes likewise, with m = v = 1.
 */
export function preserveMeans(
  weights: Float32Array,
  codes: Int8Array,
  grids: readonly Grid[],
  where: ChannelAxis,
  inputs: (channel: number) => InputMoments,
): void {
  const { outer, channels, inner } = channelLayout(where.shape, where.axis ?? 0);
  const positions = new Uint32Array(outer * inner);
  for (let o = 0, k = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) positions[k++] = o * channels * inner + i;
  }
  const moves = new CheapestFirst(positions.length);
  const remainders = new Float64Array(positions.length);
  const rates = new Float64Array(positions.length);
  let ratesOf: InputMoments | undefined;
  for (let c = 0; c < channels; c++) {
    const moments = inputs(c);
    const { means, variances } = moments;
    if (moments !== ratesOf) for (let k = 0; k < rates.length; k++) rates[k] = variances[k]! / Math.abs(means[k]!);
    ratesOf = moments;
    const channel = { weights, codes, grid: grids[c]!, positions, start: c * inner, means, rates };
    preserveChannelMean(channel, remainders, moves);
  }
}

/** One channel's weights: those at `start + positions[k]`. */
interface ChannelRounding {
  readonly weights: Float32Array;
  readonly codes: Int8Array;
  readonly grid: Grid;
  readonly positions: Uint32Array;
  readonly start: number;
  readonly means: Float64Array;
  /** v_k / |m_k|. */
  readonly rates: Float64Array;
}

/**
 * Per step of code k towards the error e = sum_k m_k d_k, the first term falls by rho^2 (2 |e| |m_k| - m_k^2), and the second
 * rises by v_k (1 - 2 |d_k|). Both over |m_k|, which every move takes from |e|, tell what is cheap.
 */
function preserveChannelMean(channel: ChannelRounding, remainders: Float64Array, moves: CheapestFirst): void {
  const { weights, codes, grid, positions, start, means, rates } = channel;
  const { lowestCode } = grid;
  const most = highestCode(grid);
  const perStep = 1 / grid.scale;
  let error = 0;
  for (let k = 0; k < positions.length; k++) {
    const at = start + positions[k]!;
    const remainder = weights[at]! * perStep - codes[at]!;
    remainders[k] = remainder;
    error += means[k]! * remainder;
  }
  const sign = Math.sign(error);
  let left = Math.abs(error);
  moves.clear();
  for (let k = 0; k < positions.length; k++) {
    const mean = means[k]!;
    if (mean === 0) continue;
    const step = mean > 0 ? sign : -sign;
    const price = rates[k]! * (1 - 2 * step * remainders[k]!);
    // What does not pay while the error is largest never will.
    if (price >= COMMON_VARIATION * (2 * left - Math.abs(mean))) continue;
    const code = codes[start + positions[k]!]! + step;
    if (code >= lowestCode && code <= most) moves.add(k, price);
  }
  while (left > 0 && moves.size > 0 && moves.leastPrice < COMMON_VARIATION * 2 * left) {
    const price = moves.leastPrice;
    const k = moves.take();
    const size = Math.abs(means[k]!);
    if (price >= COMMON_VARIATION * (2 * left - size)) continue;
    codes[start + positions[k]!]! += means[k]! > 0 ? sign : -sign;
    left -= size;
  }
}
