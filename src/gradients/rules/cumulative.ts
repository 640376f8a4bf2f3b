/** Gradients of running sums and products. */
import type { GradientContext, GradientRule, Ops } from "../../build/index.ts";
import type { Value } from "../../program/index.ts";
import { mask } from "./activations.ts";

/** A running sum of `x` in the other direction than the node's. */
function backward({ node, ops }: GradientContext, x: Value): Value {
  const reverse = node.int("reverse", 0) === 0 ? 1 : undefined;
  return ops.emit("CumSum", [x, node.input(1)], { exclusive: node.int("exclusive"), reverse });
}

/** A running operator like the node's own. */
function forward({ node, ops }: GradientContext, operator: string, x: Value, exclusive?: number): Value {
  return ops.emit(operator, [x, node.input(1)], { exclusive, reverse: node.int("reverse") });
}

/** y[i] = sum of x[j], j <= i: dx[j] = sum of dy[i], i >= j. */
const cumSum: GradientRule = (context) => [backward(context, context.dy)];

/**
 * y[i] = product of x[j], j <= i: dx[j] = sum of dy[i] y[i] / x[j], i >= j.
 *
 * Where x[j] is the first 0, y[i] / x[j] stands for the product of the others; behind it the gradient is 0. (The gradient of
 * this gradient is that at elements other than 0.)
 */
const cumProd: GradientRule = (context) => {
  const { node, ops, dy } = context;
  const x = node.input(0);
  const isZero = ops.equal(x, 0);
  const zero = mask(ops, isZero, x);
  const first = ops.mul(zero, mask(ops, ops.equal(forward(context, "CumSum", zero), 1), x));
  const without = ops.add(x, first);
  const others = forward(context, "CumProd", without, node.int("exclusive"));
  const total = (y: Value) => backward(context, ops.mul(dy, y));
  const regular = ops.div(total(node.output()), ops.where(isZero, 1, x));
  return [choose(ops, first, total(others), ops.mul(regular, ops.sub(1, zero)))];
};

/** chosen * yes + rest, where rest is 0 at what is chosen. */
function choose(ops: Ops, chosen: Value, yes: Value, rest: Value): Value {
  return ops.add(ops.mul(chosen, yes), rest);
}

/** Running sums and products. */
export const cumulative: Readonly<Record<string, GradientRule>> = { CumSum: cumSum, CumProd: cumProd };
