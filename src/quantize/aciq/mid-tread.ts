/** Mid-tread quantization with any real number of bins per channel, for entropy-coded codes (ACIQ section 9). */
import { allocateBins } from "../allocation.ts";
import type { Statistics } from "../statistics.ts";
import type { Side } from "./bin-count.ts";
import { lambertW0 } from "./lambert-w.ts";

/** Steps from the lowest to the highest multiple of `step`; codes are those multiples, zero among them. */
export interface MidTreadGrid {
  /** omega, the number of bins; 0 for a channel that becomes one number. */
  readonly bins: number;
  /** Width of a bin; codes times this are the values. */
  readonly step: number;
  readonly lowestCode: number;
  readonly highestCode: number;
}

/** What mid-tread grids are wanted for. */
export interface MidTreadRequest {
  /** Mean bins per channel are 2^bits. */
  readonly bits: number;
  readonly side: Side;
  /** Whether to clip by the Laplace optimum; else the range is the observed one. Default true. */
  readonly clip?: boolean;
}

/**
 * Returns a grid for each channel: `omega_i = n 2^bits sigma_i^(2/3) / sum`, rounded; `step = range / omega`; range 2 alpha
 * around the mean (one-sided: max(mu, 0) + alpha), with alpha = b W0(3 omega^2) (one-sided: 2 omega in its place).
 *
 * The published code interpolates a table of alpha in omega; this computes it. Its clamp limits, which are real numbers there,
 * are rounded to codes here, so that every output is a multiple of the step.
 */
export function midTreadGrids(channels: readonly Statistics[], request: MidTreadRequest): MidTreadGrid[] {
  const { bits, side, clip = true } = request;
  const oneSided = side === "one-sided";
  const spreads = channels.map((channel) => channel.standardDeviation);
  return Array.from(allocateBins(spreads, bits), (real, c): MidTreadGrid => {
    const { mean, min, max, meanAbsoluteDeviation } = channels[c]!;
    const bins = Math.round(real);
    const alpha = meanAbsoluteDeviation * lambertW0(3 * (oneSided ? 2 * bins : bins) ** 2);
    const low = oneSided ? 0 : clip ? mean - alpha : min;
    const high = clip ? (oneSided ? Math.max(mean, 0) : mean) + alpha : Math.max(max, low);
    const step = (high - low) / bins;
    if (bins === 0 || !(step > 0)) return { bins: 0, step: oneSided ? 0 : mean, lowestCode: 1, highestCode: 1 };
    return { bins, step, lowestCode: Math.round(low / step), highestCode: Math.round(high / step) };
  });
}

/** Returns the codes of values: `clamp(round(x / step))`. */
export function midTreadCodes(values: Float32Array, grid: MidTreadGrid): Int32Array {
  const codes = new Int32Array(values.length);
  for (let i = 0; i < codes.length; i++) codes[i] = midTreadCode(values[i]!, grid);
  return codes;
}

/** Returns values rounded to multiples of the step. A channel of 0 bins becomes its mean, one-sided 0. */
export function midTread(values: Float32Array, grid: MidTreadGrid): Float32Array {
  const rounded = new Float32Array(values.length);
  for (let i = 0; i < rounded.length; i++) rounded[i] = midTreadCode(values[i]!, grid) * grid.step;
  return rounded;
}

function midTreadCode(x: number, { bins, step, lowestCode, highestCode }: MidTreadGrid): number {
  if (bins === 0) return lowestCode;
  return Math.min(Math.max(Math.round(x / step), lowestCode), highestCode);
}
