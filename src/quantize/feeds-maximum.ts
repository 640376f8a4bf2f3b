/** Whether a tensor's largest values are what the network looks at. */
import type { Node, Use, Value } from "../program/index.ts";

const MAXIMA: ReadonlySet<string> = new Set(["ReduceMax", "GlobalMaxPool"]);

/** Operators that let a large value stay large, element by element, and those that only move elements. */
const FORWARDING: ReadonlySet<string> = new Set([
  "Add", "Sub", "Mul", "Div", "Pow", "Erf", "Tanh", "Sigmoid", "Gelu", "Relu", "LeakyRelu", "PRelu", "Elu", "Clip", "HardSwish",
  "HardSigmoid", "Mish", "Softplus", "Cast", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Identity", "Slice",
]); // biome-ignore format: a table

/**
 * Returns whether a value reaches a maximum over all its places (ReduceMax, GlobalMaxPool) by elementwise operators alone.
 *
 * Such a maximum picks exactly the outliers that clipping cuts off, however little they count in the mean squared error.
 */
export function feedsMaximum(value: Value, uses: ReadonlyMap<Value, readonly Use[]>): boolean {
  const seen = new Set<Node>();
  const pending: Value[] = [value];
  for (let next = pending.pop(); next; next = pending.pop()) {
    for (const { node } of uses.get(next) ?? []) {
      if (!node || seen.has(node)) continue;
      seen.add(node);
      if (MAXIMA.has(node.operator)) return true;
      if (FORWARDING.has(node.operator)) pending.push(...node.outputs.filter((output) => output !== undefined));
    }
  }
  return false;
}
