/** Operators that map each element by itself: the output has the first input's shape and element type. */
import type { Dimension, Node } from "../program/index.ts";
import { subtractDimensions } from "./dimension.ts";
import { inPrecision } from "./elementwise-binary.ts";
import { type Fact, family, type InferenceContext, MICROSOFT, type Operator } from "./operator.ts";

type Rule = (x: Dimension) => Dimension;

/** Applies a function to numbers; anything else becomes unknown. */
function onNumbers(rule: (x: number) => number): Rule {
  return (x) => (typeof x === "number" ? rule(x) : null);
}

/** A dimension is a whole number, so rounding leaves it as it is. */
function rounding(rule: (x: number) => number): Rule {
  return (x) => (typeof x === "number" ? rule(x) : x);
}

/** Rules for the operators that occur in computations of shapes. */
const EVALUATED: Readonly<Record<string, Rule>> = {
  Identity: (x) => x,
  Neg: (x) => subtractDimensions(0, x),
  Abs: onNumbers(Math.abs),
  Floor: rounding(Math.floor),
  Ceil: rounding(Math.ceil),
  Round: rounding((x) => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x))),
  Sqrt: onNumbers(Math.sqrt),
  Reciprocal: onNumbers((x) => 1 / x),
  Exp: onNumbers(Math.exp),
  Log: onNumbers(Math.log),
  Sign: onNumbers(Math.sign),
  Relu: onNumbers((x) => Math.max(x, 0)),
  Not: onNumbers((x) => (x === 0 ? 1 : 0)),
};

function inferUnary(node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape, elements, items } = context.input(0);
  const rule = node.domain === "" ? EVALUATED[node.operator] : undefined;
  return [{ dtype, shape, elements: rule && elements?.map((x) => inPrecision(dtype, rule(x))), items }];
}

/** Names in ONNX's own domain. Softmax, Trilu and the like are not elementwise but have the same shape rule. */
// biome-ignore format: a table
const NAMES = [
  "Abs", "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "BitwiseNot", "Ceil", "Celu", "Clip", "Cos", "Cosh", "Elu", "Erf",
  "Exp", "Floor", "Gelu", "HardSigmoid", "HardSwish", "Identity", "LeakyRelu", "Log", "Mish", "Neg", "Not", "Reciprocal",
  "Relu", "Round", "Selu", "Shrink", "Sigmoid", "Sign", "Sin", "Sinh", "Softplus", "Softsign", "Sqrt", "Swish", "Tan", "Tanh",
  "ThresholdedRelu",
  "Softmax", "LogSoftmax", "Hardmax", "CumSum", "CumProd", "Trilu", "ReverseSequence", "LRN", "LpNormalization",
  "InstanceNormalization", "GroupNormalization", "MeanVarianceNormalization", "RMSNormalization", "RotaryEmbedding",
  "Scatter", "ScatterElements", "ScatterND", "TensorScatter",
];

/** ONNX Runtime's own; the quantized ones keep the type of their quantized input. */
// biome-ignore format: a table
const MICROSOFT_NAMES = [
  "BiasGelu", "FastGelu", "Gelu", "GroupNorm", "QLinearLeakyRelu", "QLinearSigmoid", "QLinearSoftmax",
  "QuickGelu", "RotaryEmbedding", "Trilu",
];

/** Operators whose output has the first input's shape and element type. */
export const elementwiseUnary: readonly Operator[] = [
  ...family(NAMES, { infer: inferUnary }),
  ...family(MICROSOFT_NAMES, { domain: MICROSOFT, infer: inferUnary }),
];
