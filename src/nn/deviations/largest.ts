/** Deviations of the largest magnitudes: L-infinity and top-k. */
import type { Value } from "../../program/index.ts";
import type { Channels, ConstantKind, Deviation } from "./deviation.ts";
import { expectedLargest } from "./gaussian.ts";
import { HALF_OF_BOUNDS } from "./range.ts";

/**
 * S = the mean of the k largest |x - mu|, d = c S + epsilon.
 *
 * dS/dx_i = (s_i [i is one of the k] - the sum of their s_j / n) / k with s = sign(x - mu). Of equal magnitudes any are
 * taken, and the gradient takes the same.
 *
 * The reference constant is 0.5 (1 + sqrt(pi ln 4)) / sqrt(2 ln n) whatever k is: for normal numbers d is 1.39 to 1.46
 * standard deviations with k = 1, 0.99 to 1.31 with k = 10. The exact one is right to 0.5 %.
 *
 * @see Norm matters, arXiv:1803.01814, section 3
 */
export function largest(k: number, name = `top-${k}`): Deviation {
  return {
    name,
    least: 2 * k,
    chunks: 1,
    constant: (n: number, kind: ConstantKind) => {
      if (kind === "paper") return undefined;
      return kind === "exact" ? 1 / expectedLargest(n, k) : HALF_OF_BOUNDS / Math.sqrt(2 * Math.log(n));
    },
    statistic: (channels) => {
      const { ops } = channels.batches;
      const rows = rowMagnitudes(channels);
      if (k === 1) return ops.reduceMax(rows, { axes: [1], keepDims: false });
      return ops.reduceMean(largestOf(channels, rows, k).magnitudes, { axes: [2], keepDims: false });
    },
    denominator: (statistic, c, epsilon, { ops }) => ops.add(ops.mul(statistic, c), epsilon),
    slope: (_d, c) => c,
    derivative: (channels) => {
      const { batches } = channels;
      const { ops, groups, channels: length, count } = batches;
      const { places } = largestOf(channels, rowMagnitudes(channels), k);
      // [groups, channels, k] -> [groups, k, channels]
      const inOrder = ops.transpose(places, [0, 2, 1]);
      const mean = ops.reshape(channels.mean, [groups, 1, length]);
      const weights = ops.mul(ops.sign(ops.sub(batches.take(channels.x, inOrder), mean)), 1 / k);
      return {
        peaks: { places: inOrder, weights },
        offset: ops.mul(ops.reduceSum(weights, { axes: [1], keepDims: false }), -1 / count),
      };
    },
  };
}

/** The largest magnitude of each example: [groups, samples, channels]. Extremes of x are cheaper than a pass for magnitudes. */
function rowMagnitudes({ batches, x, mean }: Channels): Value {
  const { ops, groups, channels } = batches;
  const center = ops.reshape(mean, [groups, 1, channels]);
  const above = ops.sub(batches.rowMaxima(x), center);
  return ops.max(above, ops.sub(center, batches.rowMinima(x)));
}

/**
 * The k largest magnitudes and their places: [groups, channels, k]. They lie in the k examples with the largest maxima, so
 * that only those are sorted through.
 */
function largestOf({ batches, x, mean }: Channels, rows: Value, k: number) {
  const { ops, groups, samples, channels, places } = batches;
  const byChannel = ops.transpose(rows, [0, 2, 1]);
  const best = ops.topK(byChannel, Math.min(k, samples));
  const starts = batches.rowStarts(best.indices);
  if (places === 1) return { magnitudes: best.values, places: starts };
  const all = batches.rowPlaces(starts);
  const flat = ops.reshape(all, [groups, channels, Math.min(k, samples) * places]);
  const magnitudes = ops.abs(ops.sub(batches.take(x, flat), ops.reshape(mean, [groups, channels, 1])));
  const top = ops.topK(magnitudes, k);
  return { magnitudes: top.values, places: ops.gatherElements(flat, top.indices, 2) };
}
