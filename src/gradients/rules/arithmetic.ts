/** Gradients of arithmetic with broadcasting. */
import type { GradientContext, GradientRule } from "../../build/index.ts";
import type { Value } from "../../program/index.ts";

/** Sums a gradient over the axes along which the input at `index` was broadcast. */
export function unbroadcast({ node, ops }: GradientContext, index: number, gradient: Value): Value {
  return ops.sumTo(gradient, ops.shapeOf(node.input(index)));
}

/** d(a + b) = da + db */
const add: GradientRule = (context) =>
  context.node.inputs.map((_, index) => (context.needs(index) ? unbroadcast(context, index, context.dy) : undefined));

/** d(a - b) = da - db */
const sub: GradientRule = (context) => [
  context.needs(0) ? unbroadcast(context, 0, context.dy) : undefined,
  context.needs(1) ? unbroadcast(context, 1, context.ops.neg(context.dy)) : undefined,
];

/** d(a b) = b da + a db */
const mul: GradientRule = (context) => {
  const { node, ops, dy } = context;
  const [a, b] = [node.input(0), node.input(1)];
  return [
    context.needs(0) ? unbroadcast(context, 0, ops.mul(dy, b)) : undefined,
    context.needs(1) ? unbroadcast(context, 1, ops.mul(dy, a)) : undefined,
  ];
};

/** Elementwise operators of two and more inputs. */
export const arithmetic: Readonly<Record<string, GradientRule>> = {
  Add: add,
  Sum: add,
  Sub: sub,
  Mul: mul,
};
