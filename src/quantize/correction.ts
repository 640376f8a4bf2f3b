/** Bias and variance correction: giving quantized values the moments of the original ones (ACIQ section 7). */
import { ShapeError } from "../errors.ts";
import { assertLayout, type ChannelLayout, channelLayout } from "./channel-layout.ts";
import type { Correction } from "./options.ts";
import type { ChannelAxis } from "./quantize-values.ts";

/** Added below the quotient of norms, as in the published code. */
const EPSILON = 1e-8;

/**
 * A correction of each channel, `corrected = factor[c] * quantized + offset[c]`.
 *
 * Corrected weights are no longer on the integer grid: fold `factor` into the channel's scale, and `offset` into a rank-one
 * term (offset times the sum of the inputs) or, with expected inputs, into the bias (`biasShift`).
 */
export interface ChannelCorrection {
  readonly factor: Float64Array;
  readonly offset: Float64Array;
}

/**
 * Returns what corrects quantized weights, per output channel.
 *
 * With W the weights and Wq their quantized values, `mu = E[W] - E[Wq]` and `xi = ||W - E W|| / (||Wq - E Wq|| + 1e-8)`:
 * - "mean": Wq + mu;
 * - "mean-variance" (order of the published code): xi (Wq - E Wq) + E W, mean and variance both exact;
 * - "mean-variance-paper" (the paper's equation): xi (Wq + mu), whose mean is xi E W; for comparison only.
 *
 * A channel quantized to one number has no variance to correct: its xi is 1.
 *
 * @throws ShapeError if the arrays do not hold the elements of the shape.
 */
export function weightCorrection(
  weights: Float32Array,
  quantized: Float32Array,
  correction: Correction,
  where: ChannelAxis,
): ChannelCorrection {
  const layout = layoutFor(weights, quantized, where);
  const { channels } = layout;
  const factor = new Float64Array(channels).fill(1);
  const offset = new Float64Array(channels);
  if (correction === "none") return { factor, offset };
  const original = channelMoments(weights, layout);
  const rounded = channelMoments(quantized, layout);
  for (let c = 0; c < channels; c++) {
    const mean = original.mean[c]!;
    const roundedMean = rounded.mean[c]!;
    if (correction !== "mean" && !rounded.isConstant[c]) factor[c] = original.norm[c]! / (rounded.norm[c]! + EPSILON);
    offset[c] =
      correction === "mean-variance-paper" ? factor[c]! * (mean - roundedMean) : mean - factor[c]! * roundedMean;
  }
  return { factor, offset };
}

/** Returns quantized weights with a correction applied; see `weightCorrection`. */
export function correctWeights(
  weights: Float32Array,
  quantized: Float32Array,
  correction: Correction,
  where: ChannelAxis,
): Float32Array {
  return applyCorrection(quantized, weightCorrection(weights, quantized, correction, where), where);
}

/** Returns `factor[c] * values + offset[c]`. */
export function applyCorrection(values: Float32Array, correction: ChannelCorrection, where: ChannelAxis): Float32Array {
  const { outer, channels, inner } = channelLayout(where.shape, where.axis ?? 0);
  const { factor, offset } = correction;
  const corrected = new Float32Array(values.length);
  let at = 0;
  for (let o = 0; o < outer; o++) {
    for (let c = 0; c < channels; c++) {
      for (const end = at + inner; at < end; at++) corrected[at] = factor[c]! * values[at]! + offset[c]!;
    }
  }
  return corrected;
}

/**
 * Returns quantized activations with the mean of each channel put right: (sum X - sum Xq) / #(X > 0) is added to the
 * positive ones. Zeros stay zero, as after a ReLU they should. (In the published code only, not in the paper.)
 *
 * A channel without positive values, original or quantized, is left as it is. Sums agree exactly only where X and Xq are
 * positive at the same places.
 *
 * @param activations After the ReLU if there is one.
 * @throws ShapeError if the arrays do not hold the elements of the shape.
 */
export function correctActivations(
  activations: Float32Array,
  quantized: Float32Array,
  where: ChannelAxis,
): Float32Array {
  const layout = layoutFor(activations, quantized, where);
  const { outer, channels, inner } = layout;
  const difference = new Float64Array(channels);
  const positive = new Float64Array(channels);
  for (let o = 0, at = 0; o < outer; o++) {
    for (let c = 0; c < channels; c++) {
      for (const end = at + inner; at < end; at++) {
        difference[c]! += activations[at]! - quantized[at]!;
        if (activations[at]! > 0) positive[c]! += 1;
      }
    }
  }
  const corrected = quantized.slice();
  for (let o = 0, at = 0; o < outer; o++) {
    for (let c = 0; c < channels; c++) {
      const shift = positive[c]! > 0 ? difference[c]! / positive[c]! : 0;
      for (const end = at + inner; at < end; at++) if (quantized[at]! > 0) corrected[at] = quantized[at]! + shift;
    }
  }
  return corrected;
}

interface ChannelMoments {
  readonly mean: Float64Array;
  /** ||x - mean||, the root of the summed squares. */
  readonly norm: Float64Array;
  readonly isConstant: Uint8Array;
}

function channelMoments(values: Float32Array, { outer, channels, inner }: ChannelLayout): ChannelMoments {
  const mean = new Float64Array(channels);
  const least = new Float64Array(channels).fill(Number.POSITIVE_INFINITY);
  const most = new Float64Array(channels).fill(Number.NEGATIVE_INFINITY);
  for (let o = 0, at = 0; o < outer; o++) {
    for (let c = 0; c < channels; c++) {
      for (const end = at + inner; at < end; at++) {
        const x = values[at]!;
        mean[c]! += x;
        if (x < least[c]!) least[c] = x;
        if (x > most[c]!) most[c] = x;
      }
    }
  }
  for (let c = 0; c < channels; c++) mean[c]! /= outer * inner;
  const square = new Float64Array(channels);
  for (let o = 0, at = 0; o < outer; o++) {
    for (let c = 0; c < channels; c++) {
      for (const end = at + inner; at < end; at++) square[c]! += (values[at]! - mean[c]!) ** 2;
    }
  }
  return {
    mean,
    norm: square.map(Math.sqrt),
    isConstant: Uint8Array.from(least, (low, c) => (low === most[c] ? 1 : 0)),
  };
}

function layoutFor(values: Float32Array, quantized: Float32Array, { shape, axis = 0 }: ChannelAxis): ChannelLayout {
  const layout = channelLayout(shape, axis);
  assertLayout(values.length, layout, "correction");
  if (quantized.length !== values.length) {
    throw new ShapeError(
      `correction: original and quantized values must be equally many, got ${values.length} and ${quantized.length}.`,
    );
  }
  return layout;
}
