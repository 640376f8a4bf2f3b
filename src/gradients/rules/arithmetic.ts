/** Gradients of arithmetic with broadcasting. */
import type { GradientContext, GradientRule } from "../../build/index.ts";
import type { Value } from "../../program/index.ts";

/** Sums a gradient over the axes along which the input at `index` was broadcast. */
export function unbroadcast({ node, ops }: GradientContext, index: number, gradient: Value): Value {
  return ops.sumTo(gradient, ops.shapeOf(node.input(index)));
}

/** A rule from one gradient, shaped as the output, per input; only those that are needed are written. */
export function perInput(...gradients: readonly ((context: GradientContext) => Value | undefined)[]): GradientRule {
  return (context) =>
    gradients.map((write, index) => {
      const gradient = context.needs(index) ? write(context) : undefined;
      return gradient && unbroadcast(context, index, gradient);
    });
}

/** d(a + b) = da + db */
const add: GradientRule = (context) =>
  context.node.inputs.map((_, index) => (context.needs(index) ? unbroadcast(context, index, context.dy) : undefined));

/** d((a + b + ...) / n) = (da + db + ...) / n */
const mean: GradientRule = (context) => {
  const { node, ops, dy } = context;
  const share = ops.div(dy, node.inputs.length);
  return node.inputs.map((_, index) => (context.needs(index) ? unbroadcast(context, index, share) : undefined));
};

/** d(a - b) = da - db */
const sub = perInput(
  ({ dy }) => dy,
  ({ ops, dy }) => ops.neg(dy),
);

/** d(a b) = b da + a db */
const mul = perInput(
  ({ node, ops, dy }) => ops.mul(dy, node.input(1)),
  ({ node, ops, dy }) => ops.mul(dy, node.input(0)),
);

/** d(a / b) = da / b - y db / b, y = a / b */
const div = perInput(
  ({ node, ops, dy }) => ops.div(dy, node.input(1)),
  ({ node, ops, dy }) => ops.neg(ops.div(ops.mul(dy, node.output()), node.input(1))),
);

/** y = a - b trunc(a / b) (fmod): da = dy, db = -dy trunc(a / b) = -dy (a - y) / b */
const mod = perInput(
  ({ dy }) => dy,
  ({ node, ops, dy }) => ops.neg(ops.mul(dy, ops.div(ops.sub(node.input(0), node.output()), node.input(1)))),
);

/** d(a^b) = b a^(b - 1) da + log(a) a^b db; the exponent may have an element type of its own. */
const pow: GradientRule = (context) => {
  const { node, ops, dy } = context;
  return [
    context.needs(0) ? baseGradient(context) : undefined,
    context.needs(1)
      ? ops.cast(unbroadcast(context, 1, ops.mul(ops.mul(dy, node.output()), safeLog(context))), node.input(1).dtype!)
      : undefined,
  ];
};

/** b a^(b - 1) dy; exponents that are known are spared the power, which is slow. */
function baseGradient(context: GradientContext): Value | undefined {
  const { node, ops, dy } = context;
  const [a, b] = [node.input(0), ops.cast(node.input(1), node.input(0).dtype!)];
  const known = ops.numbersOf(node.input(1));
  const exponent = known?.every((number) => number === known[0]) ? known[0] : undefined;
  const ofShape = (factor: Value) => unbroadcast(context, 0, ops.mul(dy, factor));
  if (exponent === 0) return undefined;
  if (exponent === 1) return unbroadcast(context, 0, dy);
  if (exponent === 2) return ofShape(ops.mul(a, 2));
  if (exponent === 3) return ofShape(ops.mul(ops.square(a), 3));
  if (exponent === 0.5) return ofShape(ops.div(0.5, node.output()));
  if (exponent !== undefined) return ofShape(ops.mul(ops.pow(a, exponent - 1), exponent));
  // 0 * 0^(-1) must be 0: the constant a^0 has no gradient.
  const lower = ops.where(ops.equal(b, 0), 0, ops.sub(b, 1));
  return ofShape(ops.mul(b, ops.pow(a, lower)));
}

/** log(a), 0 where a is 0: there a^b log(a) goes to 0. */
function safeLog({ node, ops }: GradientContext): Value {
  const a = node.input(0);
  return ops.log(ops.where(ops.equal(a, 0), 1, a));
}

/** Elementwise operators of two and more inputs. */
export const arithmetic: Readonly<Record<string, GradientRule>> = {
  Add: add,
  Sum: add,
  Mean: mean,
  Sub: sub,
  Mul: mul,
  Div: div,
  Mod: mod,
  Pow: pow,
};
