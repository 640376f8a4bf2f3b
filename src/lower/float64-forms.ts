/** Operators in float64 for which ONNX Runtime has kernels in float32 only, written as others that it can run. */
import type { Ops } from "../build/index.ts";
import type { Value } from "../program/index.ts";
import { Tensor } from "../tensor/index.ts";
import { float64Norms } from "./float64-norms.ts";
import { float64Windows } from "./float64-windows.ts";
import type { Lowering } from "./lowering.ts";

/** A function of the first input alone. */
function unary(write: (x: Value, ops: Ops, float: (name: string, fallback: number) => number) => Value): Lowering {
  return (node, ops) => [write(node.input(0), ops, (name, fallback) => node.float(name, fallback))];
}

/** log(1 + x) without the loss of small x: x log(v) / (v - 1), v = 1 + x as rounded (Kahan). */
function log1p(ops: Ops, x: Value): Value {
  const v = ops.add(x, 1);
  const exact = ops.equal(v, 1);
  const rest = ops.where(exact, 1, ops.sub(v, 1));
  return ops.where(exact, x, ops.div(ops.mul(ops.log(v), x), rest));
}

/** exp(x) - 1 without the loss of small x, for x <= 0: 2 t / (1 - t), t = tanh(x / 2). */
function expm1(ops: Ops, x: Value): Value {
  const t = ops.tanh(ops.div(x, 2));
  return ops.div(ops.mul(t, 2), ops.sub(1, t));
}

/**
 * The angle whose sine and cosine are given, from a guess in float32 that is right to 7 digits: what is missing has the tangent
 * (s cos g - c sin g) / (c cos g + s sin g), and equals it up to its third power.
 */
function angle(ops: Ops, guess: Value, s: Value, c: Value): Value {
  const [sin, cos] = [ops.sin(guess), ops.cos(guess)];
  const missing = ops.sub(ops.mul(s, cos), ops.mul(c, sin));
  return ops.add(guess, ops.div(missing, ops.add(ops.mul(c, cos), ops.mul(s, sin))));
}

function inFloat32(ops: Ops, operator: string, x: Value): Value {
  return ops.cast(ops.emit(operator, [ops.cast(x, "float32")]), "float64");
}

/** sqrt(1 - x^2) */
function leg(ops: Ops, x: Value): Value {
  return ops.sqrt(ops.mul(ops.sub(1, x), ops.add(x, 1)));
}

function atan(x: Value, ops: Ops): Value {
  const c = ops.reciprocal(ops.sqrt(ops.add(ops.square(x), 1)));
  return angle(ops, inFloat32(ops, "Atan", x), ops.mul(x, c), c);
}

function cosh(x: Value, ops: Ops): Value {
  return ops.div(ops.add(ops.exp(x), ops.exp(ops.neg(x))), 2);
}

/** sign(x) log(1 + |x| + x^2 / (1 + sqrt(1 + x^2))) */
function asinh(x: Value, ops: Ops): Value {
  const [size, square] = [ops.abs(x), ops.square(x)];
  const rest = ops.div(square, ops.add(ops.sqrt(ops.add(square, 1)), 1));
  return ops.mul(ops.sign(x), log1p(ops, ops.add(size, rest)));
}

/** log(1 + t + sqrt(2 t + t^2)), t = x - 1 */
function acosh(x: Value, ops: Ops): Value {
  const t = ops.sub(x, 1);
  return log1p(ops, ops.add(t, ops.sqrt(ops.mul(t, ops.add(t, 2)))));
}

/** log(1 + 2 x / (1 - x)) / 2 */
function atanh(x: Value, ops: Ops): Value {
  return ops.div(log1p(ops, ops.div(ops.mul(x, 2), ops.sub(1, x))), 2);
}

/** Terms of the series of erf; enough for |x| <= 6, where erf is 1 in float64. */
const ERF_TERMS = 130;

/** erf(x) = 2 / sqrt(pi) exp(-x^2) x sum over n of (2 x^2)^n / (1 * 3 * ... * (2 n + 1)): all terms positive. */
function erf(x: Value, ops: Ops): Value {
  const limited = ops.clip(x, -6, 6);
  const square = ops.square(limited);
  const coefficients = new Float64Array(ERF_TERMS).fill(1);
  for (let n = 1; n < ERF_TERMS; n++) coefficients[n] = (coefficients[n - 1]! * 2) / (2 * n + 1);
  // Each column is x^2 to the power of its number: running products would take as many nodes.
  const exponents = vector(
    ops,
    Float64Array.from(coefficients, (_, n) => n),
  );
  const powers = ops.pow(ops.unsqueeze(square, [-1]), exponents);
  const series = ops.reduceSum(ops.mul(powers, vector(ops, coefficients)), { axes: [-1], keepDims: false });
  return ops.mul(ops.mul(ops.mul(limited, 2 / Math.sqrt(Math.PI)), ops.exp(ops.neg(square))), series);
}

function vector(ops: Ops, numbers: Float64Array): Value {
  return ops.constant(new Tensor("float64", [numbers.length], numbers));
}

/** 1 / (1 + exp(-x)). There is a kernel, but ONNX Runtime fuses x sigmoid(a x) to QuickGelu, for which there is none. */
function sigmoid(x: Value, ops: Ops): Value {
  return ops.reciprocal(ops.add(ops.exp(ops.neg(x)), 1));
}

/** max(x, 0) + log(1 + exp(-|x|)) */
function softplus(x: Value, ops: Ops): Value {
  return ops.add(ops.relu(x), log1p(ops, ops.exp(ops.neg(ops.abs(x)))));
}

function hardSigmoid(ops: Ops, x: Value, alpha: number, beta: number): Value {
  return ops.clip(ops.add(ops.mul(x, alpha), beta), 0, 1);
}

function elu(ops: Ops, x: Value, alpha: number): Value {
  return ops.add(ops.relu(x), ops.mul(expm1(ops, ops.min(x, 0)), alpha));
}

function shrink(ops: Ops, x: Value, lambda: number, bias: number): Value {
  const marked = (condition: Value) => ops.cast(condition, "float64");
  const below = ops.mul(ops.add(x, bias), marked(ops.less(x, -lambda)));
  return ops.add(below, ops.mul(ops.sub(x, bias), marked(ops.greater(x, lambda))));
}

const gelu: Lowering = (node, ops) => {
  const x = node.inputs[1] ? ops.add(node.input(0), node.input(1)) : node.input(0);
  const inner =
    node.string("approximate", "none") === "tanh"
      ? ops.tanh(ops.mul(ops.add(x, ops.mul(ops.mul(ops.square(x), x), 0.044715)), Math.sqrt(2 / Math.PI)))
      : erf(ops.mul(x, Math.SQRT1_2), ops);
  return [ops.mul(ops.mul(x, 0.5), ops.add(inner, 1))];
};

const prelu: Lowering = (node, ops) => {
  const [x, slope] = [node.input(0), node.input(1)];
  return [ops.add(ops.relu(x), ops.mul(ops.min(x, 0), slope))];
};

const mean: Lowering = (node, ops) => [ops.div(ops.emit("Sum", node.inputs), node.inputs.length)];

/** One at the first largest element along the axis. */
const hardmax: Lowering = (node, ops) => {
  const x = node.input(0);
  const axis = node.int("axis", -1);
  return [ops.cast(ops.oneHot(ops.argMax(x, axis), ops.shapeOf(x).at(axis)!, { axis }), "float64")];
};

/** off + (on - off) * [0 or 1] */
const oneHot: Lowering = (node, ops) => {
  const values = ops.split(node.input(2), 0, [1, 1]);
  const marks = ops.constant(new Tensor("float32", [2], Float32Array.of(0, 1)));
  const hot = ops.emit("OneHot", [node.input(0), node.input(1), marks], { axis: node.int("axis", -1) });
  return [ops.add(values[0]!, ops.mul(ops.sub(values[1]!, values[0]!), ops.cast(hot, "float64")))];
};

/** x / (bias + alpha / size * sum of x^2 over the channels around)^beta */
const localResponse: Lowering = (node, ops) => {
  const x = node.input(0);
  const size = node.int("size", 1);
  const shape = ops.shapeOf(x);
  const before = Math.floor((size - 1) / 2);
  const rest = shape.map(() => 0);
  const pads = [0, before, ...rest.slice(2), 0, size - 1 - before, ...rest.slice(2)];
  const padded = ops.pad(ops.square(x), pads);
  const channels = shape[1]!;
  const near = Array.from({ length: size }, (_, shift) =>
    ops.slice(padded, { axes: [1], starts: [shift], ends: [shift + channels] }),
  ).reduce((a, b) => ops.add(a, b));
  const base = ops.add(ops.mul(near, node.float("alpha", 1e-4) / size), node.float("bias", 1));
  return [ops.div(x, ops.pow(base, node.float("beta", 0.75)))];
};

/** The sum over the first row's elements, each times its minor, with alternating signs; a Det of size 1 is the element. */
const determinant: Lowering = (node, ops) => [laplace(ops, node.input(0))];

function laplace(ops: Ops, x: Value): Value {
  const shape = ops.shapeOf(x);
  const size = shape.at(-1)!;
  if (size === 1) return ops.squeeze(x, [-2, -1]);
  const part = (row: boolean, start: number, end: number, from: Value) =>
    ops.slice(from, { axes: [row ? -2 : -1], starts: [start], ends: [end] });
  const [first, below] = [part(true, 0, 1, x), part(true, 1, size, x)];
  const terms = Array.from({ length: size }, (_, column) => {
    const minor = ops.concat([part(false, 0, column, below), part(false, column + 1, size, below)], -1);
    const term = ops.mul(ops.squeeze(part(false, column, column + 1, first), [-2, -1]), laplace(ops, minor));
    return column % 2 === 0 ? term : ops.neg(term);
  });
  return terms.reduce((a, b) => ops.add(a, b));
}

/** Forms by operator; those of other domains are written `domain:Operator`. They are meant for checks and theory, not for speed. */
export const float64Forms: Readonly<Record<string, Lowering>> = {
  Tan: unary((x, ops) => ops.div(ops.sin(x), ops.cos(x))),
  Asin: unary((x, ops) => angle(ops, inFloat32(ops, "Asin", x), x, leg(ops, x))),
  Acos: unary((x, ops) => angle(ops, inFloat32(ops, "Acos", x), leg(ops, x), x)),
  Atan: unary(atan),
  Sinh: unary((x, ops) => ops.mul(ops.tanh(x), cosh(x, ops))),
  Cosh: unary(cosh),
  Asinh: unary(asinh),
  Acosh: unary(acosh),
  Atanh: unary(atanh),
  LeakyRelu: unary((x, ops, float) => ops.add(ops.relu(x), ops.mul(ops.min(x, 0), float("alpha", 0.01)))),
  Elu: unary((x, ops, float) => elu(ops, x, float("alpha", 1))),
  // The defaults are ONNX's constants, which are float32.
  Selu: unary((x, ops, float) =>
    ops.mul(elu(ops, x, float("alpha", 1.6732631921768188)), float("gamma", 1.0507010221481323)),
  ),
  Celu: unary((x, ops, float) => {
    const alpha = float("alpha", 1);
    return ops.add(ops.relu(x), ops.mul(expm1(ops, ops.div(ops.min(x, 0), alpha)), alpha));
  }),
  // Its kernel computes in float32.
  Shrink: unary((x, ops, float) => shrink(ops, x, float("lambd", 0.5), float("bias", 0))),
  ThresholdedRelu: unary((x, ops, float) => ops.mul(x, ops.cast(ops.greater(x, float("alpha", 1)), "float64"))),
  Sigmoid: unary(sigmoid),
  Softplus: unary(softplus),
  Softsign: unary((x, ops) => ops.div(x, ops.add(ops.abs(x), 1))),
  HardSigmoid: unary((x, ops, float) => hardSigmoid(ops, x, float("alpha", 0.2), float("beta", 0.5))),
  HardSwish: unary((x, ops) => ops.mul(x, hardSigmoid(ops, x, 1 / 6, 0.5))),
  Mish: unary((x, ops) => ops.mul(x, ops.tanh(softplus(x, ops)))),
  Erf: unary(erf),
  Gelu: gelu,
  "com.microsoft:Gelu": gelu,
  "com.microsoft:BiasGelu": gelu,
  "com.microsoft:QuickGelu": unary((x, ops, float) => ops.mul(x, sigmoid(ops.mul(x, float("alpha", 1.702)), ops))),
  PRelu: prelu,
  Mean: mean,
  Hardmax: hardmax,
  OneHot: oneHot,
  LRN: localResponse,
  Det: determinant,
  ...float64Norms,
  ...float64Windows,
};
