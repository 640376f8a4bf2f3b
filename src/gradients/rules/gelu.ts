/** Gradients of the Gaussian error linear unit and its approximations. */
import type { GradientContext, GradientRule, Ops } from "../../build/index.ts";
import type { Value } from "../../program/index.ts";

/**
 * y = x P(x), P the normal distribution's cumulative probability: P(x) + x p(x), p its density.
 *
 *   P(x) = (1 + erf(x / sqrt(2))) / 2, p(x) = exp(-x^2 / 2) / sqrt(2 pi)
 */
function exactFactor(ops: Ops, x: Value): Value {
  const probability = ops.mul(ops.add(ops.erf(ops.mul(x, Math.SQRT1_2)), 1), 0.5);
  const density = ops.mul(ops.exp(ops.mul(ops.square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
  return ops.add(probability, ops.mul(x, density));
}

/** Coefficients of the approximation: t = tanh(ROOT (x + CUBIC x^3)). */
const ROOT = Math.sqrt(2 / Math.PI);
const CUBIC = 0.044715;

/** y = x (1 + t) / 2: ((1 + t) + x (1 - t^2) ROOT (1 + 3 CUBIC x^2)) / 2 */
function tanhFactor(ops: Ops, x: Value): Value {
  const square = ops.square(x);
  const t = ops.tanh(ops.mul(ops.mul(x, ops.add(ops.mul(square, CUBIC), 1)), ROOT));
  const inner = ops.mul(ops.mul(x, ops.add(ops.mul(square, 3 * CUBIC), 1)), ROOT);
  return ops.mul(ops.add(ops.add(t, 1), ops.mul(inner, ops.sub(1, ops.square(t)))), 0.5);
}

/** Gelu of x, or of x + bias when there is a second input. */
function withBias(factor: (ops: Ops, x: Value) => Value): GradientRule {
  return (context) => {
    const { node, ops, dy } = context;
    const bias = node.inputs[1];
    const x = bias ? ops.add(node.input(0), bias) : node.input(0);
    const dx = ops.mul(dy, factor(ops, x));
    return [dx, bias && context.needs(1) ? ops.sumTo(dx, ops.shapeOf(bias)) : undefined];
  };
}

const gelu: GradientRule = (context: GradientContext) => {
  const tanh = context.node.string("approximate", "none") === "tanh";
  return withBias(tanh ? tanhFactor : exactFactor)(context);
};

/** Gelu: ONNX's, and those that ONNX Runtime's optimizer writes into models. */
export const gelus: Readonly<Record<string, GradientRule>> = {
  Gelu: gelu,
  "com.microsoft:Gelu": withBias(exactFactor),
  "com.microsoft:BiasGelu": withBias(exactFactor),
  "com.microsoft:FastGelu": withBias(tanhFactor),
};
