/** Standardization with given means and deviations, operator by operator. */
import type { Decomposition } from "./decomposition.ts";

/** (x - mean) / deviation scale + bias: divided first, because 1 / deviation may overflow where the result does not. */
const standardize: Decomposition = (node, ops) => {
  const [x, deviation, scale] = [node.input(0), node.input(1), node.input(2)];
  const [mean, bias] = [node.inputs[3], node.inputs[4]];
  const scaled = ops.mul(ops.div(mean ? ops.sub(x, mean) : x, deviation), scale);
  return [bias ? ops.add(scaled, bias) : scaled];
};

export const standardizations: Readonly<Record<string, Decomposition>> = { "modicum:Standardize": standardize };
