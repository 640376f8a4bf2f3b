/** Gradients of normalized exponentials; from operator set 13 on they run over one axis. */
import type { GradientRule } from "../../build/index.ts";

/** y = exp(x) / sum of exp(x): y (dy - sum of y dy) */
const softmax: GradientRule = ({ node, ops, dy }) => {
  const y = node.output();
  const axes = [node.int("axis", -1)];
  const weighted = ops.mul(y, dy);
  return [ops.sub(weighted, ops.mul(y, ops.reduceSum(weighted, { axes })))];
};

/** y = x - log(sum of exp(x)): dy - exp(y) (sum of dy) */
const logSoftmax: GradientRule = ({ node, ops, dy }) => {
  const axes = [node.int("axis", -1)];
  return [ops.sub(dy, ops.mul(ops.exp(node.output()), ops.reduceSum(dy, { axes })))];
};

/** Softmax and its logarithm. */
export const softmaxes: Readonly<Record<string, GradientRule>> = { Softmax: softmax, LogSoftmax: logSoftmax };
