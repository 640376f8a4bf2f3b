/** Symmetric grids for weights, one per channel: from the largest magnitude, or clipped for the least squared error. */

import { DataError } from "../errors.ts";
import { assertLayout, channelLayout, gatherChannel } from "./channel-layout.ts";
import { type Grid, symmetricGrid } from "./grid.ts";
import type { ChannelAxis } from "./quantize-values.ts";

/** Options of `weightGrids`. */
export interface WeightGridOptions extends ChannelAxis {
  /** Integer from 2 to 16. */
  readonly bits: number;
  /** "max": no clipping, as the paper. "mse": the clip with the least squared error. Default "max". */
  readonly clip?: "max" | "mse";
}

/**
 * Returns the symmetric grid (zero point 0) of each channel of weights.
 *
 * Clipping by measured error is not ACIQ's formula, which does not help weights; it is for deployable grids of 4 bits and
 * fewer, where the step matters more than the largest weight.
 *
 * @throws ShapeError if the array does not hold the shape; DataError if a weight is NaN or infinite.
 */
export function weightGrids(weights: Float32Array, options: WeightGridOptions): Grid[] {
  const { shape, axis = 0, bits, clip = "max" } = options;
  const layout = channelLayout(shape, axis);
  assertLayout(weights.length, layout, "weightGrids");
  const channel = new Float32Array(layout.outer * layout.inner);
  return Array.from({ length: layout.channels }, (_, c) => {
    gatherChannel(weights, layout, c, channel);
    const largest = largestMagnitude(channel, c);
    if (clip === "max") return symmetricGrid(largest, bits);
    return leastErrorGrid(channel, largest, bits);
  });
}

/** Smallest clip tried, as a share of the largest magnitude. */
const SMALLEST_CLIP = 0.3;
/** Clips are tried on a scale of so many steps from there to 1: first every fourth, then twice halfway beside the best. */
const CLIP_STEPS = 39;
const COARSE = 4;

function leastErrorGrid(values: Float32Array, largest: number, bits: number): Grid {
  const whole = symmetricGrid(largest, bits);
  const clipAt = (step: number): number => SMALLEST_CLIP + ((1 - SMALLEST_CLIP) * step) / CLIP_STEPS;
  let best = CLIP_STEPS;
  let leastError = Number.POSITIVE_INFINITY;
  const consider = (step: number): void => {
    const error = squaredError(values, whole.scale * clipAt(step), bits, leastError);
    if (error >= leastError) return;
    best = step;
    leastError = error;
  };
  for (let step = CLIP_STEPS; step >= 0; step -= COARSE) consider(step);
  for (let reach = COARSE / 2; reach >= 1; reach /= 2) {
    const centre = best;
    if (centre < CLIP_STEPS) consider(centre + reach);
    if (centre > 0) consider(centre - reach);
  }
  return symmetricGrid(largest * clipAt(best), bits);
}

/** Values looked at between checks whether a candidate has already lost. */
const STRIDE = 64;

/** The summed squared error of symmetric codes, or any number of at least `limit` once it is known to be that large. */
function squaredError(values: Float32Array, scale: number, bits: number, limit: number): number {
  const stepsPerUnit = 1 / scale;
  const least = -(2 ** (bits - 1));
  const most = -least - 1;
  const limitInSteps = limit * stepsPerUnit * stepsPerUnit;
  let sum = 0;
  for (let start = 0; start < values.length && sum < limitInSteps; start += STRIDE) {
    const end = Math.min(values.length, start + STRIDE);
    for (let i = start; i < end; i++) {
      const exact = values[i]! * stepsPerUnit;
      // Rounds half to even, see roundHalfEven.
      const rounded = exact + 6755399441055744 - 6755399441055744;
      const code = rounded > most ? most : rounded < least ? least : rounded;
      sum += (exact - code) * (exact - code);
    }
  }
  return sum * scale * scale;
}

function largestMagnitude(values: Float32Array, channel: number): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) {
    const magnitude = Math.abs(values[i]!);
    if (!(magnitude < Number.POSITIVE_INFINITY)) {
      throw new DataError(`weightGrids: weights must be finite, got ${values[i]} in channel ${channel}.`);
    }
    if (magnitude > largest) largest = magnitude;
  }
  return largest;
}
