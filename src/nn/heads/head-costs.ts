/** What a head costs, and what a fixed one saves. */
import { assertCount } from "../check-input.ts";
import { powerOfTwoFrom } from "./hadamard.ts";

/** A network and its head. */
export interface HeadCostOptions {
  /** All learned numbers of the network with a learned linear head. */
  readonly parameters: number;
  /** N, what the head reads. */
  readonly features: number;
  /** C. */
  readonly classes: number;
  /**
   * "linear": learned; "dense": fixed, stored as float32; "signs": fixed, stored as a bit each; "generated": Hadamard rows, not stored;
   * "fast": the same by a fast Walsh-Hadamard transform.
   */
  readonly head: "linear" | "dense" | "signs" | "generated" | "fast";
  /** Numbers that the optimizer keeps for each parameter: 1 for momentum, 2 for Adam. Default 1. */
  readonly slots?: number;
  /** Samples in a step. Default 1. */
  readonly batchSize?: number;
}

/** What a network costs with a head. Bytes are those of float32. */
export interface HeadCosts {
  /** N C, the numbers of the head's matrix. */
  readonly headWeights: number;
  /** Their share of all parameters. */
  readonly headShare: number;
  /** Learned numbers: all but the matrix of a fixed head, plus its scale. */
  readonly trainable: number;
  /** The matrix in memory or in a file. */
  readonly headBytes: number;
  /** What the optimizer keeps. */
  readonly optimizerBytes: number;
  /** Parameters and optimizer's slots. */
  readonly checkpointBytes: number;
  /** What workers exchange in a step. */
  readonly gradientBytes: number;
  /** Multiply-adds of the head's product for a sample. */
  readonly multiplyAdds: number;
  /** Additions in their place, where the matrix has signs. */
  readonly additions: number;
  /** Multiply-adds of the matrix's gradient in a step. */
  readonly weightGradientMultiplyAdds: number;
}

const BYTES = 4;

/**
 * Counts parameters, memory and work of a network with a learned or a fixed head: fixing it removes N C parameters and adds a scale.
 *
 * @throws OptionError if a count is not a whole number of at least 1.
 * @see arXiv:1801.04540, table 1
 * @example
 * nn.headCosts({ parameters: 25_557_032, features: 2048, classes: 1000, head: "generated" }).headShare; // 0.0801
 */
export function headCosts(options: HeadCostOptions): HeadCosts {
  const { parameters, features, classes, head, slots = 1, batchSize = 1 } = options;
  for (const [option, count] of Object.entries({ parameters, features, classes, batchSize })) {
    assertCount(count, option, "headCosts");
  }
  const headWeights = features * classes;
  const isLearned = head === "linear";
  const hasSigns = !isLearned && head !== "dense";
  const trainable = isLearned ? parameters : parameters - headWeights + 1;
  const order = powerOfTwoFrom(Math.max(features, classes));
  const stored = BYTES * headWeights;
  const bytesOf = { linear: stored, dense: stored, signs: Math.ceil(headWeights / 8), generated: 0, fast: 0 };
  return {
    headWeights,
    headShare: headWeights / parameters,
    trainable,
    headBytes: bytesOf[head],
    optimizerBytes: BYTES * slots * trainable,
    checkpointBytes: BYTES * (1 + slots) * trainable,
    gradientBytes: BYTES * trainable,
    multiplyAdds: hasSigns ? 0 : headWeights,
    additions: head === "fast" ? order * Math.log2(order) : hasSigns ? headWeights : 0,
    weightGradientMultiplyAdds: isLearned ? batchSize * headWeights : 0,
  };
}
