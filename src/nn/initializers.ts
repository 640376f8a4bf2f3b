/** Initializers: the numbers that parameters start with. Their definitions are those of torch.nn.init. */
import type { Initializer } from "../build/index.ts";
import { OptionError } from "../errors.ts";
import { elementCount, type Random } from "../tensor/index.ts";

/**
 * Fills with 0.
 *
 * @example
 * nn.linear(10, { weight: nn.zeros() });
 */
export function zeros(): Initializer {
  return constant(0);
}

/**
 * Fills with 1.
 *
 * @example
 * const scale = scope.parameter("scale", [64], nn.ones());
 */
export function ones(): Initializer {
  return constant(1);
}

/**
 * Fills with one number.
 *
 * @example
 * const temperature = scope.parameter("temperature", [], nn.constant(0.07));
 */
export function constant(value: number): Initializer {
  return (shape) => new Float64Array(elementCount(shape)).fill(value);
}

/** Where uniform numbers lie. */
export interface UniformOptions {
  /** Default 0. */
  readonly low?: number;
  /** Default 1. */
  readonly high?: number;
}

/**
 * Draws from the uniform distribution over [low, high).
 *
 * @throws OptionError if low is above high.
 * @example
 * nn.linear(10, { weight: nn.uniform({ low: -0.1, high: 0.1 }) });
 */
export function uniform({ low = 0, high = 1 }: UniformOptions = {}): Initializer {
  if (!(low <= high)) throw new OptionError(`uniform: low must not be above high, got ${low} and ${high}.`);
  return (shape, random) => draw(shape, () => low + (high - low) * random.uniform());
}

/** Mean and spread of normal numbers. */
export interface NormalOptions {
  /** Default 0. */
  readonly mean?: number;
  /** Default 1. */
  readonly standardDeviation?: number;
}

/**
 * Draws from a normal distribution.
 *
 * @throws OptionError if the standard deviation is negative.
 * @example
 * nn.embedding({ count: 1000, features: 64, weight: nn.normal({ standardDeviation: 0.02 }) });
 */
export function normal({ mean = 0, standardDeviation = 1 }: NormalOptions = {}): Initializer {
  assertDeviation("normal", standardDeviation);
  return (shape, random) => draw(shape, () => mean + standardDeviation * random.normal());
}

/** A normal distribution, and between which bounds its numbers are kept. */
export interface TruncatedNormalOptions extends NormalOptions {
  /** Not counted in standard deviations. Default -2. */
  readonly low?: number;
  /** Not counted in standard deviations. Default 2. */
  readonly high?: number;
}

/**
 * Draws from a normal distribution, again and again until the number lies in [low, high].
 *
 * The distribution is that of torch.nn.init.trunc_normal_, whose bounds are absolute too.
 *
 * @throws OptionError if low is not below high, or the mean is more than two standard deviations outside of them.
 * @example
 * nn.linear(256, { weight: nn.truncatedNormal({ standardDeviation: 0.02 }) });
 */
export function truncatedNormal(options: TruncatedNormalOptions = {}): Initializer {
  const { mean = 0, standardDeviation = 1, low = -2, high = 2 } = options;
  assertDeviation("truncatedNormal", standardDeviation);
  if (!(low < high)) throw new OptionError(`truncatedNormal: low must be below high, got ${low} and ${high}.`);
  if (mean < low - 2 * standardDeviation || mean > high + 2 * standardDeviation) {
    throw new OptionError(
      `truncatedNormal: the mean must be within two standard deviations of [${low}, ${high}], got ${mean}.`,
    );
  }
  const [from, to] = [(low - mean) / standardDeviation, (high - mean) / standardDeviation];
  return (shape, random) => draw(shape, () => mean + standardDeviation * truncated(random, from, to));
}

/** A standard normal number in [from, to]. */
function truncated(random: Random, from: number, to: number): number {
  // Few normal numbers would fall into a short interval: there, uniform ones are kept as often as the density says.
  const isShort = to - from < 2;
  const nearest = Math.max(from, Math.min(to, 0));
  for (;;) {
    const x = isShort ? from + (to - from) * random.uniform() : random.normal();
    if (isShort ? random.uniform() < Math.exp((nearest * nearest - x * x) / 2) : x >= from && x <= to) return x;
  }
}

function assertDeviation(name: string, standardDeviation: number): void {
  if (standardDeviation >= 0) return;
  throw new OptionError(`${name}: standardDeviation must not be negative, got ${standardDeviation}.`);
}

function draw(shape: readonly number[], next: () => number): Float64Array {
  return Float64Array.from({ length: elementCount(shape) }, next);
}
