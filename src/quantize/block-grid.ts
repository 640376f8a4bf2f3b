/** The grid of one block of weights: from its extremes, or clipped for the least squared error. */
import { type BlockFormat, codeLimits, storedBits } from "./block-format.ts";
import { deployableGrid, symmetricGrid } from "./grid.ts";

/** Options of `blockGrid`. */
export interface BlockGridOptions extends BlockFormat {
  /** "max": every weight lies on the grid. "mse": the share of that range with the least squared error. */
  readonly clip: "max" | "mse";
}

/** What the codes of a block stand for: `w = (code - zeroPoint) * scale`. */
export interface BlockGrid {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** Shares of a block's range that are tried as clips. */
const CLIPS: readonly number[] = Array.from({ length: 17 }, (_, step) => 1 - step / 40);

/** Returns the grid of a block. Zero is always exact. */
export function blockGrid(values: Float32Array, options: BlockGridOptions): BlockGrid {
  let low = 0;
  let high = 0;
  for (let i = 0; i < values.length; i++) {
    low = Math.min(low, values[i]!);
    high = Math.max(high, values[i]!);
  }
  if (options.clip === "max") return gridOfRange(low, high, options);
  let best = gridOfRange(low, high, options);
  let leastError = Number.POSITIVE_INFINITY;
  for (const clip of CLIPS) {
    const grid = gridOfRange(low * clip, high * clip, options);
    const error = squaredError(values, grid, options);
    if (error >= leastError) continue;
    best = grid;
    leastError = error;
  }
  return best;
}

function gridOfRange(low: number, high: number, { bits, symmetric }: BlockFormat): BlockGrid {
  if (!symmetric) return deployableGrid({ low, high }, bits);
  const { scale } = symmetricGrid(Math.max(-low, high), bits);
  return { scale, zeroPoint: 2 ** (storedBits(bits) - 1) };
}

function squaredError(values: Float32Array, { scale, zeroPoint }: BlockGrid, format: BlockFormat): number {
  const [lowest, highest] = codeLimits(format);
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    const code = Math.min(highest, Math.max(lowest, Math.round(values[i]! / scale) + zeroPoint));
    sum += (values[i]! - (code - zeroPoint) * scale) ** 2;
  }
  return sum;
}
