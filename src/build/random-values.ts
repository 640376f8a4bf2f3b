/** Random numbers in programs. */
import type { Value } from "../program/index.ts";

/**
 * Random numbers inside a program: other ones in every step and at every call, the same ones for the same seed and step on
 * every device and after a restart.
 */
export interface RandomValues {
  /** Uniform in [0, 1), multiples of 2^-24, float32. */
  uniform(shape: readonly number[]): Value;
  /** From the standard normal distribution, float32. */
  normal(shape: readonly number[]): Value;
}
