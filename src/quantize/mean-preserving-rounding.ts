/** Rounding weights so that sums of products stay right, not only each weight: ACIQ's mean correction on the integer grid. */
import type { InputMoments } from "./calibrate.ts";
import { channelLayout } from "./channel-layout.ts";
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
  for (let c = 0; c < channels; c++) {
    for (let o = 0, k = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) positions[k++] = (o * channels + c) * inner + i;
    }
    preserveChannelMean(weights, codes, grids[c]!, positions, inputs(c));
  }
}

/** A code that may move, in units of the channel's scale. */
interface Move {
  readonly at: number;
  readonly step: number;
  readonly mean: number;
  /** What the move adds to the second term. */
  readonly cost: number;
}

function preserveChannelMean(
  weights: Float32Array,
  codes: Int8Array,
  grid: Grid,
  positions: Uint32Array,
  inputs: InputMoments,
): void {
  const remainderAt = (at: number): number => weights[at]! / grid.scale - codes[at]!;
  let error = 0;
  positions.forEach((at, k) => {
    error += inputs.means[k]! * remainderAt(at);
  });
  const moves: Move[] = [];
  positions.forEach((at, k) => {
    const mean = inputs.means[k]!;
    const step = Math.sign(error * mean);
    const code = codes[at]! + step;
    if (step === 0 || code < grid.lowestCode || code > highestCode(grid)) return;
    moves.push({ at, step, mean, cost: inputs.variances[k]! * (1 - 2 * step * remainderAt(at)) });
  });
  moves.sort((a, b) => a.cost / Math.abs(a.mean) - b.cost / Math.abs(b.mean));
  for (const { at, step, mean, cost } of moves) {
    const moved = error - step * mean;
    if (COMMON_VARIATION * (moved * moved - error * error) + cost >= 0) continue;
    error = moved;
    codes[at]! += step;
  }
}
