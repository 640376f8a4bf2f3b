/** Cases of whole little networks, differentiated twice: rules must fit together. */
import type { Ops } from "../../src/build/index.ts";
import { gradients } from "../../src/gradients/index.ts";
import type { Value } from "../../src/program/index.ts";
import { type GradientCase, normal, numbers } from "./gradient-case.ts";

/** Mean of -sum of targets log softmax(scores). */
function crossEntropy(ops: Ops, scores: Value, targets: Value): Value {
  const terms = ops.reduceSum(ops.mul(targets, ops.logSoftmax(scores)), { axes: [-1], keepDims: false });
  return ops.neg(ops.reduceMean(terms, { keepDims: false }));
}

/** Networks. */
export const derivedCases: readonly GradientCase[] = [
  {
    title: "Two layers, ReLU and cross-entropy, twice differentiated",
    covers: ["MatMul", "Relu", "LogSoftmax"],
    inputs: [normal([3, 2]), normal([2, 4]), normal([4]), normal([4, 3]), normal([3, 3])],
    build: (ops, x, w, b, v, targets) =>
      crossEntropy(ops, ops.matMul(ops.relu(ops.add(ops.matMul(x, w), b)), v), ops.softmax(targets)),
    second: true,
  },
  {
    title: "Convolution, ReLU, pools and softmax, twice differentiated",
    covers: ["Conv", "Relu", "AveragePool", "GlobalAveragePool", "Softmax"],
    // One channel is on everywhere, the other off: sums of normal numbers would come too near to the kink.
    inputs: [normal([2, 1, 4, 4], 0.3), normal([2, 1, 3, 3], 0.3), numbers([2], [3, -3])],
    build: (ops, x, w, b) => {
      const h = ops.relu(ops.conv(x, w, b, { pads: [1, 1, 1, 1] }));
      const pooled = ops.globalAveragePool(ops.averagePool(h, [2, 2], { strides: [2, 2] }));
      return ops.softmax(ops.mul(ops.reshape(pooled, [2, 2]), 3));
    },
    second: true,
  },
  {
    title: "Attention written out, twice differentiated",
    covers: ["MatMul", "Softmax", "Transpose"],
    inputs: [normal([1, 3, 4]), normal([4, 4]), normal([4, 4])],
    build: (ops, x, q, k) => {
      const scores = ops.matMul(ops.matMul(x, q), ops.transposeLast(ops.matMul(x, k)));
      return ops.matMul(ops.softmax(ops.mul(scores, 0.5)), x);
    },
    second: true,
  },
  {
    title: "The squared length of a loss's gradient",
    covers: ["Conv", "Tanh"],
    inputs: [normal([1, 1, 5]), normal([2, 1, 3])],
    build: (ops, x, w) => {
      const loss = ops.reduceSum(ops.tanh(ops.conv(x, w)), { keepDims: false });
      const [dx] = gradients(ops, loss, [x]);
      return ops.reduceSum(ops.square(dx!), { keepDims: false });
    },
  },
  {
    title: "A value and another that is computed from it",
    covers: ["Mul", "Sin"],
    inputs: [normal([3])],
    // d/dx of y = sin(x) x: the gradient with respect to x counts both ways, that of sin(x) one.
    build: (ops, x) => {
      const wave = ops.sin(x);
      const y = ops.reduceSum(ops.mul(wave, x), { keepDims: false });
      return gradients(ops, y, [x, wave]).map((gradient) => gradient!);
    },
  },
];
