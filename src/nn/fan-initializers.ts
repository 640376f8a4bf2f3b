/** Initializers that keep the size of activations or gradients from layer to layer. */
import type { Initializer } from "../build/index.ts";
import { OptionError } from "../errors.ts";
import { elementCount } from "../tensor/index.ts";
import { normal, uniform } from "./initializers.ts";

/** How many inputs one output has (`in`), and how many outputs one input goes to (`out`). */
export interface Fans {
  readonly in: number;
  readonly out: number;
}

/**
 * Returns the fans of a weight of shape [outputs, inputs, ...kernel], as PyTorch counts them.
 *
 * @throws OptionError if the weight has fewer than two axes.
 * @example
 * nn.fansOf([64, 3, 3, 3]); // { in: 27, out: 576 }
 */
export function fansOf(shape: readonly number[]): Fans {
  if (shape.length < 2) {
    throw new OptionError(
      `fansOf: a weight must have two or more axes [outputs, inputs, ...kernel], got [${shape.join(", ")}]. ` +
        "Use zeros, constant or uniform.",
    );
  }
  const kernel = elementCount(shape.slice(2));
  return { in: shape[1]! * kernel, out: shape[0]! * kernel };
}

/** What comes after a layer, as far as it matters to the size of the layer's weights. */
export type Nonlinearity = "linear" | "sigmoid" | "tanh" | "relu" | "leakyRelu" | "selu";

/**
 * Returns the factor by which weights are larger because of the nonlinearity after them, as torch.nn.init.calculate_gain.
 *
 * @param negativeSlope Slope of leakyRelu below 0. Default 0.01.
 * @example
 * nn.xavierUniform({ gain: nn.gainOf("tanh") });
 */
export function gainOf(nonlinearity: Nonlinearity, negativeSlope = 0.01): number {
  switch (nonlinearity) {
    case "tanh":
      return 5 / 3;
    case "relu":
      return Math.SQRT2;
    case "leakyRelu":
      return Math.sqrt(2 / (1 + negativeSlope ** 2));
    case "selu":
      return 3 / 4;
    default:
      return 1;
  }
}

/** What Xavier's initializers depend on. */
export interface XavierOptions {
  /** Default 1; see `gainOf`. */
  readonly gain?: number;
}

/**
 * Draws uniformly from [-b, b], b = gain sqrt(6 / (fanIn + fanOut)): a compromise between activations and gradients.
 *
 * @see Glorot, Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks"
 * @example
 * nn.linear(10, { weight: nn.xavierUniform() });
 */
export function xavierUniform({ gain = 1 }: XavierOptions = {}): Initializer {
  return (shape, random) => {
    const fans = fansOf(shape);
    const bound = gain * Math.sqrt(6 / (fans.in + fans.out));
    return uniform({ low: -bound, high: bound })(shape, random);
  };
}

/**
 * Draws normally with standard deviation gain sqrt(2 / (fanIn + fanOut)).
 *
 * @see Glorot, Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks"
 * @example
 * nn.linear(10, { weight: nn.xavierNormal() });
 */
export function xavierNormal({ gain = 1 }: XavierOptions = {}): Initializer {
  return (shape, random) => {
    const fans = fansOf(shape);
    return normal({ standardDeviation: gain * Math.sqrt(2 / (fans.in + fans.out)) })(shape, random);
  };
}

/** What He's initializers depend on. */
export interface HeOptions {
  /** Keeps the size of activations ("in", the default) or of gradients ("out"). */
  readonly fan?: keyof Fans;
  /** Default "relu". */
  readonly nonlinearity?: Nonlinearity;
  /** Slope of leakyRelu below 0. Default 0.01. */
  readonly negativeSlope?: number;
}

/**
 * Draws uniformly from [-b, b], b = gain sqrt(3 / fan); PyTorch's kaiming_uniform_.
 *
 * @see He, Zhang, Ren, Sun 2015, "Delving Deep into Rectifiers", arXiv:1502.01852
 * @example
 * nn.linear(256, { weight: nn.heUniform() });
 */
export function heUniform(options: HeOptions = {}): Initializer {
  return (shape, random) => {
    const bound = Math.sqrt(3) * heDeviation(shape, options);
    return uniform({ low: -bound, high: bound })(shape, random);
  };
}

/**
 * Draws normally with standard deviation gain / sqrt(fan); PyTorch's kaiming_normal_.
 *
 * @see He, Zhang, Ren, Sun 2015, "Delving Deep into Rectifiers", arXiv:1502.01852
 * @example
 * nn.conv({ channels: 64, kernel: 3, weight: nn.heNormal({ fan: "out" }) });
 */
export function heNormal(options: HeOptions = {}): Initializer {
  return (shape, random) => normal({ standardDeviation: heDeviation(shape, options) })(shape, random);
}

function heDeviation(shape: readonly number[], options: HeOptions): number {
  const { fan = "in", nonlinearity = "relu", negativeSlope } = options;
  return gainOf(nonlinearity, negativeSlope) / Math.sqrt(fansOf(shape)[fan]);
}

/**
 * Draws uniformly from [-1 / sqrt(fan), 1 / sqrt(fan)]: what PyTorch's linear layers and convolutions start with, weight and
 * bias alike (kaiming_uniform_ with a = sqrt(5)). `fan` is the weight's fan-in.
 */
export function inverseRootUniform(fan: number): Initializer {
  const bound = 1 / Math.sqrt(fan);
  return uniform({ low: -bound, high: bound });
}
