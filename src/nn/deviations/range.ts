/** The range as a deviation: largest minus smallest number. */
import type { Value } from "../../program/index.ts";
import type { Channels, ConstantKind, Deviation } from "./deviation.ts";
import { expectedRange } from "./gaussian.ts";

/** Mid-point of the bounds of E max / (sigma / sqrt(2 ln n)) of n normal numbers, 0.5 (1 + sqrt(pi ln 4)) = 1.54345. */
export const HALF_OF_BOUNDS: number = 0.5 * (1 + Math.sqrt(Math.PI * Math.log(4)));

/** What the reference code multiplies that with, without a reason given. */
const EMPIRICAL = 0.35;

/**
 * S = the mean over K chunks of max x - min x, d = c S + epsilon. A chunk is a part of the examples.
 *
 * dS/dx_i = 1/K at the largest element of each chunk, -1/K at the smallest; of equal ones, at the first.
 *
 * Constants are of a chunk's n numbers: `paper` is 1 / sqrt(2 ln n), which makes d 1.5 to 1.85 standard deviations;
 * `reference` (the code) 0.35 0.5 (1 + sqrt(pi ln 4)) / sqrt(2 ln n), 0.81 to 1; `exact` 1 / (2 Phi^-1((n - 0.375) / (n + 0.25))).
 *
 * @see Scalable methods for 8-bit training, arXiv:1805.11046, section 3
 */
export function range(chunks = 1): Deviation {
  return {
    name: chunks === 1 ? "range" : `range of ${chunks} chunks`,
    least: 2 * chunks,
    chunks,
    constant: (count: number, kind: ConstantKind) => {
      const n = count / chunks;
      if (kind === "exact") return 1 / expectedRange(n);
      return (kind === "paper" ? 1 : EMPIRICAL * HALF_OF_BOUNDS) / Math.sqrt(2 * Math.log(n));
    },
    statistic: ({ batches, x }) => {
      const { ops } = batches;
      const high = ops.reduceMax(inChunks(batches.rowMaxima(x), batches, chunks), { axes: [2], keepDims: false });
      const low = ops.reduceMin(inChunks(batches.rowMinima(x), batches, chunks), { axes: [2], keepDims: false });
      return ops.reduceMean(ops.sub(high, low), { axes: [1], keepDims: false });
    },
    denominator: (statistic, c, epsilon, { ops }) => ops.add(ops.mul(statistic, c), epsilon),
    slope: (_d, c) => c,
    derivative: ({ batches, x }) => {
      const { ops } = batches;
      const places = ops.concat([firstLargest(batches, x, chunks, 1), firstLargest(batches, x, chunks, -1)], 1);
      const weights = [1, -1].map((sign) => ops.full([1, chunks, 1], sign / chunks, x.dtype));
      return { peaks: { places, weights: ops.concat(weights, 1) } };
    },
  };
}

/** [groups, samples, channels] -> [groups, chunks, samples / chunks, channels] */
function inChunks(rows: Value, { ops, groups, samples, channels }: Channels["batches"], chunks: number): Value {
  return ops.reshape(rows, [groups, chunks, samples / chunks, channels]);
}

/** Where the first largest element of each chunk is, or of -x: [groups, chunks, channels]. */
function firstLargest(batches: Channels["batches"], x: Value, chunks: number, sign: 1 | -1): Value {
  const { ops, groups, samples, channels, places } = batches;
  const signed = (values: Value) => (sign === 1 ? values : ops.neg(values));
  const rows = signed(sign === 1 ? batches.rowMaxima(x) : batches.rowMinima(x));
  // Examples are counted through the ghost batch.
  const inChunk = ops.argMax(inChunks(rows, batches, chunks), 2);
  const sample = ops.add(
    inChunk,
    batches.integers([chunks, 1], (chunk) => (chunk * samples) / chunks),
  );
  const starts = batches.rowStarts(ops.transpose(sample, [0, 2, 1]));
  const found =
    places === 1 ? starts : ops.add(starts, ops.argMax(signed(batches.take(x, batches.rowPlaces(starts))), 3));
  return ops.transpose(ops.reshape(found, [groups, channels, chunks]), [0, 2, 1]);
}
