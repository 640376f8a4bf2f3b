/** What a model is, and what can be said of it when it is built. */
import type { Layer } from "../build/index.ts";
import { OptionError } from "../errors.ts";

/** How a model is built. Every default is what was published; options that a model does not have are refused. */
export interface ModelOptions {
  /** Classes, or symbols of the vocabulary. */
  readonly classes: number;
  /** Multiplies channels or hidden sizes; results are rounded to whole numbers of at least 1, or as the model says. Default 1. */
  readonly width?: number | undefined;
  /** Layers, counted as the model's family counts them. */
  readonly depth?: number | undefined;
  /** Makes each normalization, in the places where the published network has it or, where it has none, after each layer. */
  readonly normalization?: (() => Layer) | undefined;
  /** Makes what comes last, from features to scores. Default: as published, a linear layer. */
  readonly head?: ((classes: number) => Layer) | undefined;
  /** Makes each nonlinearity. */
  readonly activation?: (() => Layer) | undefined;
  /** Probability of dropping an element while training, in the published places. */
  readonly dropout?: number | undefined;
  /**
   * How a residual network goes on where channels change: "identity" takes every second place and adds channels of zeros
   * (option A of He et al. 2015, without parameters), "projection" is a 1x1 convolution and a normalization (option B).
   */
  readonly shortcut?: "identity" | "projection" | undefined;
  /** Whether a language model's head is its embedding, transposed and without a bias: Press, Wolf 2016, arXiv:1608.05859. */
  readonly tiedEmbedding?: boolean | undefined;
}

/** Options that only some models have. */
export type FamilyOption = Exclude<keyof ModelOptions, "classes" | "width" | "head">;

/** A known network: where it comes from, what it takes, and how it is built. */
export interface ModelDefinition {
  /** What it is called in recipes and on the command line. */
  readonly name: string;
  /** One line for people. */
  readonly title: string;
  /** Where it was published: arXiv identifier and section, or the code that defines it. */
  readonly source: string;
  readonly task: "classification" | "language";
  /** Shape of one sample as published. Other sizes work where the network allows: it is an error when built where not. */
  readonly sampleShape: readonly number[];
  /** Classes or symbols as published. */
  readonly classes: number;
  /** Trainable numbers as published, with default options (running statistics do not count). */
  readonly parameters: number;
  /** What it can be built with besides `classes`, `width` and `head`. */
  readonly options: readonly FamilyOption[];
  /**
   * Returns the network.
   *
   * Shapes: classification: normalized pictures [batch, ...sampleShape] -> scores [batch, classes]; language: int64 symbols
   * [batch, length] -> scores [batch, length, vocabulary] of the symbol after each.
   *
   * @throws OptionError if an option is unknown, out of range, or not one of this model's.
   */
  build(options: ModelOptions): Layer;
}

/** A definition whose `build` has its options checked. */
export function defineModel(definition: ModelDefinition): ModelDefinition {
  return {
    ...definition,
    build: (options) => {
      checkOptions(definition, options);
      return definition.build(options);
    },
  };
}

function checkOptions({ name, options: own }: ModelDefinition, options: ModelOptions): void {
  const known = ["classes", "width", "head", ...own];
  for (const [option, value] of Object.entries(options)) {
    if (value === undefined || known.includes(option)) continue;
    throw new OptionError(`${name}: options must be among ${known.join(", ")}, got "${option}". Leave it out.`);
  }
  const { classes, width = 1, depth, dropout = 0 } = options;
  for (const [option, count] of Object.entries({ classes, depth })) {
    if (count === undefined || (Number.isInteger(count) && count >= 1)) continue;
    throw new OptionError(`${name}: ${option} must be a whole number of at least 1, got ${count}.`);
  }
  if (!(width > 0 && width < Number.POSITIVE_INFINITY)) {
    throw new OptionError(`${name}: width must be above 0, got ${width}.`);
  }
  if (!(dropout >= 0 && dropout < 1)) {
    throw new OptionError(`${name}: dropout must be at least 0 and less than 1, got ${dropout}.`);
  }
}

/** Returns a number of channels or features times the width, rounded; at least 1. */
export function scaled(count: number, width = 1): number {
  return Math.max(1, Math.round(count * width));
}
