/** Rules for operator sets before 7, whose broadcasting and in-place hints are gone. */
import { Node, Value } from "../../program/index.ts";
import type { UpgradeRule } from "./upgrade-rule.ts";

/** Concat 4: the axis must be said; before it was 1. */
export const concatAxis: UpgradeRule = (node) => {
  if (!node.attributes.has("axis")) node.set("axis", 1);
  return undefined;
};

/** Operators 6: `consumed_inputs`, a hint for running in place, is gone. */
export const withoutConsumedInputs: UpgradeRule = (node) => {
  node.attributes.delete("consumed_inputs");
  return undefined;
};

/**
 * Elementwise operators 7: shapes are matched from the last axis, as NumPy does. Before, `broadcast` matched the second
 * operand with the first from `axis` on: it is given axes of length 1 behind.
 */
export const numpyBroadcast: UpgradeRule = (node, context) => {
  const axis = node.int("axis");
  const isBroadcast = node.int("broadcast", 0) === 1;
  node.attributes.delete("axis");
  node.attributes.delete("broadcast");
  if (!isBroadcast || axis === undefined || axis === -1) return undefined;
  const [a, b] = [node.input(0), node.input(1)];
  if (!a.shape || !b.shape) {
    context.refuse(node, "the ranks of both operands must be known, to match them from an axis in the middle");
    return undefined;
  }
  const missing = a.shape.length - b.shape.length - (axis < 0 ? axis + a.shape.length : axis);
  return missing > 0 ? [unsqueezeBehind(node, b, b.shape.length, missing), node] : undefined;
};

/** Gemm 7: the third operand is always matched as NumPy does. */
export const withoutBroadcast: UpgradeRule = (node) => {
  node.attributes.delete("broadcast");
  return undefined;
};

/** PRelu 7: one slope a channel is matched as NumPy does, before with the second axis. */
export const preluSlopes: UpgradeRule = (node, context) => {
  const [x, slope] = [node.input(0), node.input(1)];
  if (!x.shape || !slope.shape) {
    context.refuse(node, "the ranks of input and slope must be known");
    return undefined;
  }
  const missing = x.shape.length - 2;
  if (slope.shape.length !== 1 || slope.shape[0] === 1 || missing <= 0) return undefined;
  return [unsqueezeBehind(node, slope, 1, missing), node];
};

/** Recurrent operators 7: `output_sequence` is gone; whether an output is there says it. */
export const withoutOutputSequence: UpgradeRule = (node) => {
  node.attributes.delete("output_sequence");
  return undefined;
};

/** Makes the node that gives a second operand more axes of length 1 at its end, and connects it. */
function unsqueezeBehind(node: Node, value: Value, rank: number, count: number): Node {
  const axes = Array.from({ length: count }, (_, i) => rank + i);
  const unsqueezed = new Value(`${value.name}_unsqueezed`, value.dtype, [...value.shape!, ...axes.map(() => 1)]);
  node.inputs[1] = unsqueezed;
  return new Node("Unsqueeze", [value], [unsqueezed], { attributes: { axes } });
}
