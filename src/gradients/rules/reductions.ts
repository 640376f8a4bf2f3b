/** Gradients of reductions. y is the node's output with every reduced axis kept, which broadcasts to x. */
import type { GradientContext, GradientRule, Ops } from "../../build/index.ts";
import type { Value } from "../../program/index.ts";
import { elementCount } from "../../tensor/index.ts";
import { mask } from "./activations.ts";

/** The axes a reduction takes, counted from the front; operator sets before 18 (13 for ReduceSum) give them as an attribute. */
export function reducedAxes({ node, ops }: GradientContext): readonly number[] {
  const rank = ops.rankOf(node.input(0));
  const given = node.ints("axes") ?? ops.numbersOf(node.inputs[1]);
  const all = Array.from({ length: rank }, (_, axis) => axis);
  if (given === undefined || given.length === 0) return node.int("noop_with_empty_axes", 0) ? [] : all;
  return given.map((axis) => (axis < 0 ? axis + rank : axis));
}

/** Gives a reduced value the rank it had: every reduced axis with length 1. */
export function restoreAxes(context: GradientContext, reduced: Value): Value {
  const { node, ops } = context;
  const axes = new Set(reducedAxes(context));
  return ops.reshape(
    reduced,
    ops.shapeOf(node.input(0)).map((length, axis) => (axes.has(axis) ? 1 : length)),
  );
}

/** A rule from the gradient of one element, with dy and y in x's rank. */
function elementRule(
  gradient: (ops: Ops, parts: { dy: Value; x: Value; y: Value }, context: GradientContext) => Value,
): GradientRule {
  return (context) => {
    const { node, ops, dy } = context;
    const [x, y] = [node.input(0), restoreAxes(context, node.output())];
    const dx = gradient(ops, { dy: restoreAxes(context, dy), x, y }, context);
    return [ops.expand(dx, ops.shapeOf(x))];
  };
}

/** y = sum of x: every element gets dy. */
const sum = elementRule((_ops, { dy }) => dy);

/** y = sum of x / n */
const mean = elementRule((ops, { dy, x }, context) => {
  const shape = ops.shapeOf(x);
  return ops.div(dy, elementCount(reducedAxes(context).map((axis) => shape[axis]!)));
});

/** y = sum of x^2: 2 x dy */
const sumSquare = elementRule((ops, { dy, x }) => ops.mul(x, ops.mul(dy, 2)));

/** y = sum of |x|: sign(x) dy */
const l1 = elementRule((ops, { dy, x }) => ops.mul(ops.sign(x), dy));

/** y = sqrt(sum of x^2): x / y dy, 0 where y is 0 */
const l2 = elementRule((ops, { dy, x, y }) => ops.mul(x, ops.div(dy, ops.where(ops.equal(y, 0), 1, y))));

/** y = log(sum of x): dy / exp(y) */
const logSum = elementRule((ops, { dy, y }) => ops.mul(dy, ops.exp(ops.neg(y))));

/** y = log(sum of exp(x)): exp(x - y) dy */
const logSumExp = elementRule((ops, { dy, x, y }) => ops.mul(ops.exp(ops.sub(x, y)), dy));

/** y = max or min of x: dy goes to the elements that equal it; several share it equally. */
const extreme = elementRule((ops, { dy, x, y }, context) => {
  const winners = mask(ops, ops.equal(x, y), x);
  const axes = reducedAxes(context);
  return ops.mul(winners, axes.length === 0 ? dy : ops.div(dy, ops.reduceSum(winners, { axes })));
});

/**
 * y = product of x: dy times the product of all others, which is y / x where no element is 0. Where one is, that one gets the
 * product of the others; where two are, nobody gets anything. (The gradient of this gradient is that at elements other than 0.)
 */
const product = elementRule((ops, { dy, x }, context) => {
  const axes = reducedAxes(context);
  if (axes.length === 0) return dy;
  const isZero = ops.equal(x, 0);
  const others = ops.where(isZero, 1, x);
  const zero = mask(ops, isZero, x);
  const zeros = ops.reduceSum(zero, { axes });
  const scaled = ops.mul(dy, ops.reduceProd(others, { axes }));
  const none = mask(ops, ops.equal(zeros, 0), x);
  const one = mask(ops, ops.equal(zeros, 1), x);
  return ops.add(ops.div(ops.mul(scaled, none), others), ops.mul(ops.mul(scaled, one), zero));
});

/** Reductions along axes. */
export const reductions: Readonly<Record<string, GradientRule>> = {
  ReduceSum: sum,
  ReduceMean: mean,
  ReduceSumSquare: sumSquare,
  ReduceL1: l1,
  ReduceL2: l2,
  ReduceLogSum: logSum,
  ReduceLogSumExp: logSumExp,
  ReduceMax: extreme,
  ReduceMin: extreme,
  ReduceProd: product,
};
