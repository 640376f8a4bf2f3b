/** Gradients of reductions. */
import type { GradientContext, GradientRule } from "../../build/index.ts";
import type { Value } from "../../program/index.ts";
import { elementCount } from "../../tensor/index.ts";

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

/** y = sum of x: every element gets dy. */
const reduceSum: GradientRule = (context) => {
  const { node, ops, dy } = context;
  return [ops.expand(restoreAxes(context, dy), ops.shapeOf(node.input(0)))];
};

/** y = sum of x / n */
const reduceMean: GradientRule = (context) => {
  const { node, ops, dy } = context;
  const shape = ops.shapeOf(node.input(0));
  const count = elementCount(reducedAxes(context).map((axis) => shape[axis]!));
  return [ops.expand(restoreAxes(context, ops.div(dy, count)), shape)];
};

/** Reductions along axes. */
export const reductions: Readonly<Record<string, GradientRule>> = { ReduceSum: reduceSum, ReduceMean: reduceMean };
