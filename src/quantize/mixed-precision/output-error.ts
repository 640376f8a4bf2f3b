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

/** Operators after which scores are probabilities already. */
const GIVES_PROBABILITIES = "Softmax";

/**
 * Returns the measure that suits a model: for one that gives scores of classes the Kullback-Leibler divergence of their
 * distribution (softmax of scores) from the float model's, else the squared error relative to the signal, the mean over
 * outputs. Undefined for a model without float outputs.
 */
export function outputError(outputs: readonly Value[], layers: readonly Layer[]): OutputError | undefined {
  const floats = outputs.filter(({ dtype }) => dtype !== undefined && isFloat(dtype));
  const [first] = floats;
  if (!first) return undefined;
  if (floats.length === 1 && layers.some(({ isClassifier }) => isClassifier)) {
    const toLogarithms = first.producer?.operator === GIVES_PROBABILITIES ? logarithms : logSoftmax;
    return {
      name: "KL divergence of class scores",
      outputs: floats,
      of: (reference, results) => {
        const classes = classCount(reference[first.name]!);
        return divergence(reference[first.name]!, results[first.name]!, classes, toLogarithms);
      },
    };
  }
  return {
    name: "relative squared error of outputs",
    outputs: floats,
    of: (reference, results) => {
      const errors = floats.map(({ name }) => relativeSquaredError(reference[name]!, results[name]!));
      return errors.reduce((sum, error) => sum + error, 0) / errors.length;
    },
  };
}

/** Scores lie along the last axis that is longer than 1: [batch, classes], [batch, classes, 1, 1]. */
function classCount({ shape }: Tensor): number {
  return shape.findLast((length) => length !== 1) ?? 1;
}

/** Mean over rows of `sum p (log p - log q)`. */
function divergence(
  reference: Tensor,
  result: Tensor,
  classes: number,
  toLogarithms: (row: Float64Array) => Float64Array,
): number {
  const [p, q] = [toNumbers(reference), toNumbers(result)];
  const rows = p.length / classes;
  let sum = 0;
  for (let row = 0; row < rows; row++) {
    const [start, end] = [row * classes, (row + 1) * classes];
    const logP = toLogarithms(Float64Array.from(p.subarray(start, end)));
    const logQ = toLogarithms(Float64Array.from(q.subarray(start, end)));
    for (let i = 0; i < classes; i++) sum += Math.exp(logP[i]!) * (logP[i]! - logQ[i]!);
  }
  return sum / rows;
}

function logSoftmax(scores: Float64Array): Float64Array {
  const largest = scores.reduce((most, score) => Math.max(most, score), Number.NEGATIVE_INFINITY);
  const total = scores.reduce((sum, score) => sum + Math.exp(score - largest), 0);
  return scores.map((score) => score - largest - Math.log(total));
}

/** Probabilities of zero have a logarithm too large to count, not an infinite one. */
function logarithms(probabilities: Float64Array): Float64Array {
  return probabilities.map((probability) => Math.log(Math.max(probability, 1e-12)));
}

function relativeSquaredError(reference: Tensor, result: Tensor): number {
  const [expected, actual] = [toNumbers(reference), toNumbers(result)];
  let signal = 0;
  let noise = 0;
  for (let i = 0; i < expected.length; i++) {
    signal += expected[i]! ** 2;
    noise += (expected[i]! - actual[i]!) ** 2;
  }
  return signal === 0 ? noise : noise / signal;
}
