/** How distances grow with the number of updates: like a logarithm, a root, or another power. */
import { OptionError } from "../../errors.ts";
import { coefficientOfDetermination, straightLine } from "./straight-line.ts";

/** The distance of the weights from their start after a number of updates. */
export interface DistanceRecord {
  readonly step: number;
  readonly distance: number;
}

/** Laws of growth fitted to distances; R^2 is the share of the distances' variance that each explains. */
export interface DistanceFit {
  /** distance = intercept + slope ln step: a random walk on a random potential. */
  readonly log: { readonly intercept: number; readonly slope: number; readonly r2: number };
  /** distance = intercept + slope sqrt(step): a free random walk. */
  readonly sqrt: { readonly intercept: number; readonly slope: number; readonly r2: number };
  /** distance = scale step^exponent, of least squares in the distance itself. */
  readonly power: { readonly scale: number; readonly exponent: number; readonly r2: number };
  /** Records that were used. */
  readonly count: number;
}

/**
 * Fits laws of growth to distances from initialization, such as `distanceFromInitialization` measures (`total`).
 *
 * Growth with the logarithm, ||w_t - w_0|| ~ (ln t)^(2/alpha) with alpha = 2, is what a random walk on a random potential shows
 * whose spread grows in proportion to the distance (`lossSpread`). Record distances after 1, 2, 4, 8, ... updates
 * (`{ doubling: true }`), at a constant learning rate.
 *
 * @param from The first update that counts: before it the walk has not begun. Default 8.
 * @throws OptionError if fewer than three records are left, or they are all of one step.
 * @see Hoffer, Hubara, Soudry 2017, "Train longer, generalize better", arXiv:1705.08741, section 3
 * @example
 * const { log, sqrt } = distanceFit(records);
 * console.log(log.r2 > sqrt.r2, log.slope);
 */
export function distanceFit(records: readonly DistanceRecord[], from = 8): DistanceFit {
  const used = records.filter(({ step }) => step >= from);
  if (used.length < 3 || new Set(used.map(({ step }) => step)).size < 2) {
    throw new OptionError(
      `distanceFit: there must be at least three records from step ${from} on, of several steps, got ${used.length}.`,
    );
  }
  const steps = used.map(({ step }) => step);
  const distances = used.map(({ distance }) => distance);
  return {
    log: straightLine(steps.map(Math.log), distances),
    sqrt: straightLine(steps.map(Math.sqrt), distances),
    power: powerLaw(steps, distances),
    count: used.length,
  };
}

/** The exponent by ever finer grids; the best scale for an exponent is a quotient of sums. */
function powerLaw(steps: readonly number[], distances: readonly number[]): DistanceFit["power"] {
  const at = (exponent: number): DistanceFit["power"] => {
    const powers = steps.map((step) => step ** exponent);
    const products = powers.reduce((sum, power, i) => sum + power * distances[i]!, 0);
    const scale = products / powers.reduce((sum, power) => sum + power * power, 0);
    const r2 = coefficientOfDetermination(
      distances,
      powers.map((power) => scale * power),
    );
    return { scale, exponent, r2 };
  };
  let [best, width] = [at(1), 1];
  while (width > 1e-7) {
    const around = Array.from({ length: 21 }, (_, i) => at(best.exponent + (width * (i - 10)) / 10));
    best = around.reduce((found, one) => (one.r2 > found.r2 ? one : found), best);
    width /= 4;
  }
  return best;
}
