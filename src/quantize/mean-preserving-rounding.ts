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
  for (let c = 0; c < channels; c++) {
    preserveChannelMean({ weights, codes, grid: grids[c]!, positions, start: c * inner, inputs: inputs(c) }, moves);
  }
}

/** One channel's weights: those at `start + positions[k]`. */
interface ChannelRounding {
  readonly weights: Float32Array;
  readonly codes: Int8Array;
  readonly grid: Grid;
  readonly positions: Uint32Array;
  readonly start: number;
  readonly inputs: InputMoments;
}

/**
 * Per step of code k towards the error e = sum_k m_k d_k, the first term falls by rho^2 (2 |e| |m_k| - m_k^2), and the second
 * rises by v_k (1 - 2 |d_k|). Both over |m_k|, which every move takes from |e|, tell what is cheap.
 */
function preserveChannelMean(channel: ChannelRounding, moves: CheapestFirst): void {
  const { weights, codes, grid, positions, start } = channel;
  const { means, variances } = channel.inputs;
  const { lowestCode } = grid;
  const most = highestCode(grid);
  const perStep = 1 / grid.scale;
  let error = 0;
  for (let k = 0; k < positions.length; k++) {
    const at = start + positions[k]!;
    error += means[k]! * (weights[at]! * perStep - codes[at]!);
  }
  if (error === 0) return;
  const sign = Math.sign(error);
  let left = Math.abs(error);
  moves.clear();
  for (let k = 0; k < positions.length; k++) {
    const size = Math.abs(means[k]!);
    if (size === 0) continue;
    const at = start + positions[k]!;
    const step = means[k]! > 0 ? sign : -sign;
    const code = codes[at]! + step;
    const price = (variances[k]! * (1 - 2 * step * (weights[at]! * perStep - codes[at]!))) / size;
    // What does not pay while the error is largest never will.
    if (price < COMMON_VARIATION * (2 * left - size) && code >= lowestCode && code <= most) moves.add(k, price);
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
