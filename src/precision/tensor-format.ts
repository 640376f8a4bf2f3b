/** Formats: how many bits a kind of tensor has while a network is trained, and how its numbers are rounded to them. */
import { OptionError } from "../errors.ts";

/** Bits of an integer format, or "float" for numbers as they are. */
export type Bits = 2 | 3 | 4 | 5 | 6 | 7 | 8 | 16 | "float";

/**
 * What the grid of a tensor spans. `tensor`: its least to its largest number. `sample`: the mean over the examples of their
 * least and largest numbers, against outliers. `channel`: each output channel's own. `running`: an average over steps.
 * `delayed`: what it was in the step before, so that it is known before the numbers are.
 */
export type RangeMode = "tensor" | "sample" | "channel" | "running" | "delayed";

/** `nearest`, ties to even; or `stochastic`: up with the probability of the fraction, so that the mean is exact. */
export type Rounding = "nearest" | "stochastic";

/** The format of one kind of tensor. */
export interface TensorFormat {
  readonly bits: Bits;
  readonly range: RangeMode;
  readonly rounding: Rounding;
}

const BITS: readonly Bits[] = [2, 3, 4, 5, 6, 7, 8, 16, "float"];
const ROUNDINGS: readonly Rounding[] = ["nearest", "stochastic"];

/**
 * Fills in what is left out of a format.
 *
 * @throws OptionError if bits, range or rounding are not among the known ones; `name` says whose.
 */
export function formatOf(
  name: string,
  given: Partial<TensorFormat> | undefined,
  defaults: TensorFormat,
  ranges: readonly RangeMode[],
): TensorFormat {
  const format = { ...defaults, ...given };
  assertOneOf(`${name}.bits`, format.bits, BITS);
  assertOneOf(`${name}.range`, format.range, ranges);
  assertOneOf(`${name}.rounding`, format.rounding, ROUNDINGS);
  return format;
}

/** @throws OptionError if the choice is none of the known ones. */
export function assertOneOf(option: string, choice: unknown, known: readonly unknown[]): void {
  if (known.includes(choice)) return;
  const shown = known.map((one) => JSON.stringify(one));
  throw new OptionError(`int8: ${option} must be one of ${shown.join(", ")}, got ${JSON.stringify(choice)}.`);
}
