/** Every loss, with what pytorch_reference.py calls it. */
import type { Scope } from "../../src/build/index.ts";
import { nn, Tensor } from "../../src/index.ts";
import type { Value } from "../../src/program/index.ts";
import { integers } from "./layer-case.ts";
import { wave, waveNumbers } from "./reference.ts";

/** A loss, its scores or predictions x, and its target. */
export interface LossCase {
  readonly title: string;
  readonly loss: (x: Value, target: Value, scope: Scope) => Value;
  readonly target: Tensor;
  /** Default [4, 5]. */
  readonly shape?: readonly number[];
}

const labels = integers([4], [1, 4, 0, 1]);
const ignoring = integers([4], [1, -1, 0, 4]);
const classWeights = [1, 2, 0.5, 0, 3];
const everything = { classWeights, ignoreIndex: -1 };
const numbers = wave([4, 5], 0.9);
const yes = new Tensor(
  "float32",
  [4, 5],
  Float32Array.from(waveNumbers(20, 0.9), (x) => 0.5 + 0.5 * x),
);
const probabilities = softmaxOf(waveNumbers(20, 0.5, 2), 5);
const logarithms = new Tensor("float32", [4, 5], (probabilities.data as Float32Array).map(Math.log));
const reductions = ["mean", "sum", "none"] as const;

function softmaxOf(scores: readonly number[], classes: number): Tensor {
  const values = scores.map((score, index) => {
    const start = index - (index % classes);
    const sum = scores.slice(start, start + classes).reduce((total, other) => total + Math.exp(other), 0);
    return Math.exp(score) / sum;
  });
  return new Tensor("float32", [scores.length / classes, classes], Float32Array.from(values));
}

/** All losses. */
export const lossCases: readonly LossCase[] = [
  ...reductions.flatMap((reduction): LossCase[] => [
    {
      title: `crossEntropy, ${reduction}`,
      loss: (x, t, scope) => nn.crossEntropy(x, t, scope, { reduction }),
      target: labels,
    },
    {
      title: `crossEntropy with everything, ${reduction}`,
      loss: (x, t, scope) => nn.crossEntropy(x, t, scope, { ...everything, labelSmoothing: 0.1, reduction }),
      target: ignoring,
    },
    {
      title: `negativeLogLikelihood, ${reduction}`,
      loss: (x, t, scope) => nn.negativeLogLikelihood(x, t, scope, { ...everything, reduction }),
      target: ignoring,
    },
    {
      title: `meanSquaredError, ${reduction}`,
      loss: (x, t, scope) => nn.meanSquaredError(x, t, scope, { reduction }),
      target: numbers,
    },
    {
      title: `meanAbsoluteError, ${reduction}`,
      loss: (x, t, scope) => nn.meanAbsoluteError(x, t, scope, { reduction }),
      target: numbers,
    },
    {
      title: `huber, ${reduction}`,
      loss: (x, t, scope) => nn.huber(x, t, scope, { reduction, delta: 0.5 }),
      target: numbers,
    },
    {
      title: `smoothL1, ${reduction}`,
      loss: (x, t, scope) => nn.smoothL1(x, t, scope, { reduction, beta: 0.5 }),
      target: numbers,
    },
    {
      title: `binaryCrossEntropy, ${reduction}`,
      loss: (x, t, scope) => nn.binaryCrossEntropy(x, t, scope, { reduction }),
      target: yes,
    },
  ]),
  {
    title: "crossEntropy with smoothing",
    loss: (x, t, scope) => nn.crossEntropy(x, t, scope, { labelSmoothing: 0.2 }),
    target: labels,
  },
  {
    title: "crossEntropy with weights",
    loss: (x, t, scope) => nn.crossEntropy(x, t, scope, { classWeights }),
    target: labels,
  },
  {
    title: "crossEntropy that ignores",
    loss: (x, t, scope) => nn.crossEntropy(x, t, scope, { ignoreIndex: -1 }),
    target: ignoring,
  },
  {
    title: "crossEntropy of places",
    loss: (x, t, scope) => nn.crossEntropy(x, t, scope, { labelSmoothing: 0.2 }),
    target: integers([2, 3], [0, 2, 1, 2, 2, 0]),
    shape: [2, 3, 3],
  },
  { title: "crossEntropy of probabilities", loss: nn.crossEntropy, target: probabilities },
  {
    title: "crossEntropy of probabilities with weights and smoothing",
    loss: (x, t, scope) => nn.crossEntropy(x, t, scope, { classWeights, labelSmoothing: 0.1 }),
    target: probabilities,
  },
  {
    title: "binaryCrossEntropy with a weight",
    loss: (x, t, scope) => nn.binaryCrossEntropy(x, t, scope, { positiveWeight: 3 }),
    target: yes,
  },
  {
    title: "binaryCrossEntropy with weights",
    loss: (x, t, scope) => nn.binaryCrossEntropy(x, t, scope, { positiveWeight: classWeights }),
    target: yes,
  },
  { title: "klDivergence", loss: nn.klDivergence, target: probabilities },
  {
    title: "klDivergence, batchMean",
    loss: (x, t, scope) => nn.klDivergence(x, t, scope, { reduction: "batchMean" }),
    target: probabilities,
  },
  {
    title: "klDivergence of logarithms",
    loss: (x, t, scope) => nn.klDivergence(x, t, scope, { logTarget: true }),
    target: logarithms,
  },
];
