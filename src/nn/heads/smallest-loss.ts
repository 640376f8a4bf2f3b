/** What a scale of cosines can reach. */
import { OptionError } from "../../errors.ts";

/**
 * Returns the least cross-entropy that orthonormal directions and a scale allow: ln(1 + (C - 1) e^(-alpha sqrt(C / (C - 1)))), at features along
 * q_y - mean(q). For rows of signs (`hadamardCode`) the scale counts sqrt(features) times.
 *
 * @throws OptionError unless there are at least two classes.
 * @see arXiv:1801.04540; derived for orthonormal rows
 * @example
 * nn.smallestLoss(1, 10); // 1.420: a scale of 1 cannot fit ten classes
 */
export function smallestLoss(scale: number, classes: number): number {
  assertClasses(classes);
  return Math.log1p((classes - 1) * Math.exp(-scale * Math.sqrt(classes / (classes - 1))));
}

/**
 * Returns the least scale with which a cross-entropy can be reached: the opposite of `smallestLoss`.
 *
 * @throws OptionError unless there are at least two classes and the loss is above 0.
 * @example
 * nn.smallestScale(0.01, 10); // 6.4
 */
export function smallestScale(loss: number, classes: number): number {
  assertClasses(classes);
  if (!(loss > 0)) throw new OptionError(`smallestScale: loss must be above 0, got ${loss}.`);
  return Math.sqrt((classes - 1) / classes) * Math.log((classes - 1) / Math.expm1(loss));
}

function assertClasses(classes: number): void {
  if (Number.isInteger(classes) && classes >= 2) return;
  throw new OptionError(`smallestLoss: classes must be a whole number of at least 2, got ${classes}.`);
}
