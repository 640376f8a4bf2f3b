/** Gradients of functions of one number: roots, exponentials, trigonometry. y is the node's output. */
import type { GradientRule, Ops } from "../../build/index.ts";
import type { Value } from "../../program/index.ts";

/** A rule from what the gradient is multiplied by. */
export function factorRule(factor: (ops: Ops, x: Value, y: Value) => Value): GradientRule {
  return ({ node, ops, dy }) => [ops.mul(dy, factor(ops, node.input(0), node.output()))];
}

/** A rule from what the gradient is divided by. */
function divisorRule(divisor: (ops: Ops, x: Value, y: Value) => Value): GradientRule {
  return ({ node, ops, dy }) => [ops.div(dy, divisor(ops, node.input(0), node.output()))];
}

function negated(rule: GradientRule): GradientRule {
  return (context) => rule(context).map((gradient) => gradient && context.ops.neg(gradient));
}

/** sqrt(1 - x^2), as a product: the square of x near 1 would lose digits. */
function cosineOfArcsine(ops: Ops, x: Value): Value {
  return ops.sqrt(ops.mul(ops.sub(1, x), ops.add(x, 1)));
}

/** d|x| = sign(x), 0 at 0 */
const abs = factorRule((ops, x) => ops.sign(x));

/** d exp(x) = exp(x) */
const exp = factorRule((_ops, _x, y) => y);

/** d log(x) = 1 / x */
const log = divisorRule((_ops, x) => x);

/** d sqrt(x) = 1 / (2 sqrt(x)) */
const sqrt = divisorRule((ops, _x, y) => ops.mul(y, 2));

/** d (1 / x) = -1 / x^2 */
const reciprocal = negated(factorRule((ops, _x, y) => ops.square(y)));

/** d sin(x) = cos(x) */
const sin = factorRule((ops, x) => ops.cos(x));

/** d cos(x) = -sin(x) */
const cos = negated(factorRule((ops, x) => ops.sin(x)));

/** d tan(x) = 1 + tan(x)^2 */
const tan = factorRule((ops, _x, y) => ops.add(ops.square(y), 1));

/** d asin(x) = 1 / sqrt(1 - x^2) */
const asin = divisorRule(cosineOfArcsine);

/** d acos(x) = -1 / sqrt(1 - x^2) */
const acos = negated(asin);

/** d atan(x) = 1 / (1 + x^2) */
const atan = divisorRule((ops, x) => ops.add(ops.square(x), 1));

/** d sinh(x) = cosh(x) */
const sinh = factorRule((ops, x) => ops.emit("Cosh", [x]));

/** d cosh(x) = sinh(x) */
const cosh = factorRule((ops, x) => ops.emit("Sinh", [x]));

/** d asinh(x) = 1 / sqrt(1 + x^2) */
const asinh = divisorRule((ops, x) => ops.sqrt(ops.add(ops.square(x), 1)));

/** d acosh(x) = 1 / sqrt(x^2 - 1) */
const acosh = divisorRule((ops, x) => ops.sqrt(ops.mul(ops.sub(x, 1), ops.add(x, 1))));

/** d atanh(x) = 1 / (1 - x^2) */
const atanh = divisorRule((ops, x) => ops.mul(ops.sub(1, x), ops.add(x, 1)));

/** d erf(x) = 2 / sqrt(pi) exp(-x^2) */
const erf = factorRule((ops, x) => ops.mul(ops.exp(ops.neg(ops.square(x))), 2 / Math.sqrt(Math.PI)));

/** Functions of one number. */
export const elementwise: Readonly<Record<string, GradientRule>> = {
  Abs: abs,
  Neg: ({ ops, dy }) => [ops.neg(dy)],
  Exp: exp,
  Log: log,
  Sqrt: sqrt,
  Reciprocal: reciprocal,
  Sin: sin,
  Cos: cos,
  Tan: tan,
  Asin: asin,
  Acos: acos,
  Atan: atan,
  Sinh: sinh,
  Cosh: cosh,
  Asinh: asinh,
  Acosh: acosh,
  Atanh: atanh,
  Erf: erf,
};
