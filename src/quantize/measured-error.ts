/** Quantization error measured on a histogram, as if the values of each bin were spread evenly over it. */
import type { Side } from "./aciq/bin-count.ts";
import { type Grid, gridRange } from "./grid.ts";
import type { Histogram } from "./histogram.ts";

/** What the values go through before they are quantized; a `RangeRequest` is one. */
export interface Activation {
  /** "one-sided": the histogram is of values before a ReLU, what is quantized is max(x, 0). Default "two-sided". */
  readonly side?: Side;
  /** What is quantized is at most this. Default infinite. */
  readonly ceiling?: number;
}

/**
 * Returns the mean squared error between values and the nearest numbers of a grid.
 *
 * Exact for values evenly spread within bins: the squared error is integrated over each bin in closed form, whatever number
 * of steps it spans.
 */
export function measuredMse(histogram: Histogram, grid: Grid, activation: Activation = {}): number {
  const { low, high, counts } = histogram;
  const [floor, ceiling] = activationBounds(activation);
  const clamp = (x: number): number => (x < floor ? floor : x > ceiling ? ceiling : x);
  if (high <= low) return pointError(grid, clamp(low));
  const integral = squaredErrorIntegral(grid);
  const width = (high - low) / counts.length;
  const floorError = pointError(grid, floor);
  const ceilingError = pointError(grid, ceiling);
  let sum = 0;
  let total = 0;
  let integralAtStart = 0;
  let lastBin = -2;
  for (let i = 0; i < counts.length; i++) {
    // Tensors with outliers leave most bins empty.
    if (counts[i] === 0) continue;
    const start = low + i * width;
    const end = start + width;
    if (lastBin !== i - 1) integralAtStart = integral(clamp(start));
    lastBin = i;
    const integralAtEnd = integral(clamp(end));
    let error = integralAtEnd - integralAtStart;
    if (start < floor) error += floorError * (Math.min(end, floor) - start);
    if (end > ceiling) error += ceilingError * (end - Math.max(start, ceiling));
    integralAtStart = integralAtEnd;
    total += counts[i]!;
    sum += counts[i]! * error;
  }
  // Differences of the integral may round a hair below zero where every error is zero.
  return total > 0 ? Math.max(0, sum / width / total) : 0;
}

/** Returns the bounds that an activation puts on values: [0 or -infinity, ceiling]. */
export function activationBounds({ side, ceiling = Number.POSITIVE_INFINITY }: Activation): [number, number] {
  return [side === "one-sided" ? 0 : Number.NEGATIVE_INFINITY, ceiling];
}

/** The integral of (x - Q(x))^2 from the grid's lowest number. Q rounds to the grid and clamps to its ends. */
function squaredErrorIntegral(grid: Grid): (x: number) => number {
  const { scale } = grid;
  const { low } = gridRange(grid);
  const perStep = scale ** 3 / 12;
  const mostSteps = 2 ** grid.bits - 1;
  return (x) => {
    const nearest = Math.floor((x - low) / scale + 0.5);
    const steps = nearest < 0 ? 0 : nearest > mostSteps ? mostSteps : nearest;
    const rest = x - (low + steps * scale);
    return steps * perStep + (rest * rest * rest) / 3;
  };
}

function pointError(grid: Grid, x: number): number {
  const { low, high } = gridRange(grid);
  if (!Number.isFinite(x)) return 0;
  const nearest = Math.min(Math.max(low + Math.round((x - low) / grid.scale) * grid.scale, low), high);
  return (x - nearest) ** 2;
}
