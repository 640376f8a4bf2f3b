/** What a model itself says about its activations: the running statistics of its batch normalizations. */
import { isInferenceBatchNorm } from "../prepare/index.ts";
import type { Program, Value } from "../program/index.ts";
import { toNumbers } from "../tensor/index.ts";

/** Mean and variance of each channel of a value over the pictures that the model was trained on. */
export interface KnownStatistics {
  /** Shaped [batch, channels, ...places]. */
  readonly value: Value;
  readonly rank: number;
  readonly mean: Float64Array;
  readonly variance: Float64Array;
  /** What the normalization adds to the variance: below it, differences do not matter to the model. */
  readonly epsilon: number;
}

/**
 * Returns the statistics of the inputs of a program's batch normalizations, in the order of the graph; of those whose statistics
 * are constants and whose input has a known rank.
 */
export function knownStatistics(program: Program): KnownStatistics[] {
  return program.graph.nodes.flatMap((node) => {
    if (!isInferenceBatchNorm(node, program)) return [];
    const value = node.input(0);
    const [mean, variance] = [node.inputs[3]?.constant, node.inputs[4]?.constant];
    const rank = value.shape?.length;
    if (value.constant || rank === undefined || !mean || !variance) return [];
    const numbers = { mean: toNumbers(mean.load()), variance: toNumbers(variance.load()) };
    return [{ value, rank, ...numbers, epsilon: node.float("epsilon", 1e-5) }];
  });
}
