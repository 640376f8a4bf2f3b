/** Gradients of activations. y is the node's output; at a kink the gradient is that of the side towards 0. */
import type { GradientRule, Ops } from "../../build/index.ts";
import type { Node, Value } from "../../program/index.ts";
import { factorRule } from "./elementwise.ts";

/** A rule from what the gradient is multiplied by, given the node for its attributes. */
function attributeRule(factor: (ops: Ops, node: Node, x: Value, y: Value) => Value): GradientRule {
  return ({ node, ops, dy }) => [ops.mul(dy, factor(ops, node, node.input(0), node.output()))];
}

/** 1 where the condition holds, else 0, in the element type of `like`. */
export function mask(ops: Ops, condition: Value, like: Value): Value {
  return ops.cast(condition, like.dtype!);
}

/** y = max(x, 0): dy where y > 0. */
const relu: GradientRule = ({ node, ops, dy }) => [
  ops.emit("ReluGradient", [dy, node.output()], {}, { domain: "modicum" }),
];

/** dx = ReluGradient(dy, y) is linear in dy, and constant in y between its jumps. */
const reluGradient: GradientRule = ({ node, ops, dy }) => [
  ops.emit("ReluGradient", [dy, node.input(1)], {}, { domain: "modicum" }),
];

/** y = x for x > 0, alpha x else: 1 or alpha */
const leakyRelu = attributeRule((ops, node, x) => {
  const alpha = node.float("alpha", 0.01);
  return ops.add(ops.mul(mask(ops, ops.greater(x, 0), x), 1 - alpha), alpha);
});

/** y = x for x > alpha, 0 else: 1 or 0 */
const thresholdedRelu = attributeRule((ops, node, x) => mask(ops, ops.greater(x, node.float("alpha", 1)), x));

/** y = x + bias for x < -lambd, x - bias for x > lambd, 0 else: 1 or 0 */
const shrink = attributeRule((ops, node, x) => mask(ops, ops.greater(ops.abs(x), node.float("lambd", 0.5)), x));

/** y = x for x > 0, slope x else. For x: 1 or slope; for the slope: min(x, 0). */
const prelu: GradientRule = (context) => {
  const { node, ops, dy } = context;
  const [x, slope] = [node.input(0), node.input(1)];
  return [
    context.needs(0) ? ops.mul(dy, ops.where(ops.greater(x, 0), 1, slope)) : undefined,
    context.needs(1) ? ops.sumTo(ops.mul(dy, ops.min(x, 0)), ops.shapeOf(slope)) : undefined,
  ];
};

/** y = gamma x for x > 0, gamma alpha (exp(x) - 1) else: gamma, or y + gamma alpha */
function eluFactor(ops: Ops, x: Value, y: Value, alpha: number, gamma: number): Value {
  return ops.where(ops.greater(x, 0), gamma, ops.add(y, gamma * alpha));
}

const elu = attributeRule((ops, node, x, y) => eluFactor(ops, x, y, node.float("alpha", 1), 1));

/** The defaults are those of ONNX, rounded to float32. */
const selu = attributeRule((ops, node, x, y) =>
  eluFactor(ops, x, y, node.float("alpha", 1.6732631921768188), node.float("gamma", 1.0507010221481323)),
);

/** y = x for x > 0, alpha (exp(x / alpha) - 1) else: 1, or 1 + y / alpha */
const celu = attributeRule((ops, node, x, y) =>
  ops.where(ops.greater(x, 0), 1, ops.add(ops.div(y, node.float("alpha", 1)), 1)),
);

/** d tanh(x) = 1 - y^2 */
const tanh = factorRule((ops, _x, y) => ops.sub(1, ops.square(y)));

/** d sigmoid(x) = y (1 - y) */
const sigmoid = factorRule((ops, _x, y) => ops.mul(y, ops.sub(1, y)));

/** d log(1 + exp(x)) = sigmoid(x) */
const softplus = factorRule((ops, x) => ops.sigmoid(x));

/** d x / (1 + |x|) = 1 / (1 + |x|)^2 */
const softsign = factorRule((ops, x) => ops.square(ops.reciprocal(ops.add(ops.abs(x), 1))));

/** y = alpha x + beta between 0 and 1: alpha there */
const hardSigmoid = attributeRule((ops, node, x, y) => {
  const inside = ops.and(ops.greater(y, 0), ops.less(y, 1));
  return ops.mul(mask(ops, inside, x), node.float("alpha", 0.2));
});

/** y = x h, h = x / 6 + 1 / 2 between 0 and 1: h + x dh */
const hardSwish = factorRule((ops, x) => {
  const h = ops.clip(ops.add(ops.mul(x, 1 / 6), 0.5), 0, 1);
  const inside = mask(ops, ops.less(ops.abs(x), 3), x);
  return ops.add(h, ops.mul(inside, ops.mul(x, 1 / 6)));
});

/** y = x t, t = tanh(log(1 + exp(x))): t + x (1 - t^2) sigmoid(x) */
const mish = factorRule((ops, x) => {
  const t = ops.tanh(ops.softplus(x));
  return ops.add(t, ops.mul(ops.mul(x, ops.sigmoid(x)), ops.sub(1, ops.square(t))));
});

/** y = x s, s = sigmoid(alpha x): s + alpha y (1 - s) */
function swish(alpha: number): GradientRule {
  return attributeRule((ops, node, x, y) => {
    const slope = node.float("alpha", alpha);
    const s = ops.sigmoid(slope === 1 ? x : ops.mul(x, slope));
    return ops.add(s, ops.mul(ops.mul(y, slope), ops.sub(1, s)));
  });
}

/** Activations. */
export const activations: Readonly<Record<string, GradientRule>> = {
  Relu: relu,
  "modicum:ReluGradient": reluGradient,
  LeakyRelu: leakyRelu,
  ThresholdedRelu: thresholdedRelu,
  Shrink: shrink,
  PRelu: prelu,
  Elu: elu,
  Selu: selu,
  Celu: celu,
  Tanh: tanh,
  Sigmoid: sigmoid,
  Softplus: softplus,
  Softsign: softsign,
  HardSigmoid: hardSigmoid,
  HardSwish: hardSwish,
  Mish: mish,
  Swish: swish(1),
  "com.microsoft:QuickGelu": swish(1.702),
};
