/** How far outputs are from the float model's, in one number that can be summed over layers. */
import type { Layer } from "../../prepare/index.ts";
import type { Value } from "../../program/index.ts";
import { isFloat, type Tensor, toNumbers } from "../../tensor/index.ts";

/** A measure of error of a model's outputs; 0 where nothing differs. */
export interface OutputError {
  readonly name: string;
  /** Outputs that it looks at. */
  readonly outputs: readonly Value[];
  /** Error of one run's outputs, by name. */
  of(reference: Readonly<Record<string, Tensor>>, outputs: Readonly<Record<string, Tensor>>): number;
}

/** The operator after which scores are probabilities. */
const GIVES_PROBABILITIES = "Softmax";

/** Probabilities of zero have a logarithm too large to count, not an infinite one. */
const LEAST_PROBABILITY = 1e-12;

/**
 * Returns the measure that suits a model: the squared error of its outputs relative to their signal, the mean over outputs. Of
 * class scores only differences between classes count, and of probabilities the scores that they come from.
 *
 * Not the Kullback-Leibler divergence of class probabilities: on samples that a model is sure of it is tiny and noisy, and
 * chose worse at equal bytes (docs/decisions/0017-widths-of-weights.md).
 *
 * @returns Undefined for a model without float outputs.
 */
export function outputError(outputs: readonly Value[], layers: readonly Layer[]): OutputError | undefined {
  const floats = outputs.filter(({ dtype }) => dtype !== undefined && isFloat(dtype));
  const [first] = floats;
  if (!first) return undefined;
  if (floats.length === 1 && layers.some(({ isClassifier }) => isClassifier)) {
    const isProbability = first.producer?.operator === GIVES_PROBABILITIES;
    return {
      name: "relative squared error of class scores",
      outputs: floats,
      of: (reference, results) =>
        relativeSquaredError(
          scoresOf(reference[first.name]!, isProbability),
          scoresOf(results[first.name]!, isProbability),
        ),
    };
  }
  return {
    name: "relative squared error of outputs",
    outputs: floats,
    of: (reference, results) => {
      const errors = floats.map(({ name }) =>
        relativeSquaredError(toNumbers(reference[name]!), toNumbers(results[name]!)),
      );
      return errors.reduce((sum, error) => sum + error, 0) / errors.length;
    },
  };
}

/** Scores less their mean in each row. Classes lie along the last axis that is longer than 1: [batch, classes, 1, 1]. */
function scoresOf(tensor: Tensor, isProbability: boolean): Float64Array {
  const classes = tensor.shape.findLast((length) => length !== 1) ?? 1;
  const scores = Float64Array.from(toNumbers(tensor), (value) =>
    isProbability ? Math.log(Math.max(value, LEAST_PROBABILITY)) : value,
  );
  for (let start = 0; start < scores.length; start += classes) {
    const row = scores.subarray(start, start + classes);
    const mean = row.reduce((sum, score) => sum + score, 0) / classes;
    for (let i = 0; i < classes; i++) row[i]! -= mean;
  }
  return scores;
}

function relativeSquaredError(expected: ArrayLike<number>, actual: ArrayLike<number>): number {
  let signal = 0;
  let noise = 0;
  for (let i = 0; i < expected.length; i++) {
    signal += expected[i]! ** 2;
    noise += (expected[i]! - actual[i]!) ** 2;
  }
  return signal === 0 ? noise : noise / signal;
}
