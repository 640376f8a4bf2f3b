/** Element by element: the same in any layout, as long as all operands have it. */
import { staticShape, type Value } from "../../../program/index.ts";
import { step } from "../../marks.ts";
import type { BlockedContext, BlockedRule } from "../blocked-rule.ts";
import { channelAffine, emitBlocked, isNchwc } from "../nchwc.ts";

// biome-ignore format: a table
const UNARY = [
  "Abs", "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Cast", "Ceil", "Celu", "Clip", "Cos", "Cosh", "Elu", "Erf", "Exp",
  "Floor", "Gelu", "HardSigmoid", "HardSwish", "Identity", "LeakyRelu", "Log", "Mish", "Neg", "Not", "Reciprocal", "Round",
  "Selu", "Shrink", "Sigmoid", "Sign", "Sin", "Sinh", "Softplus", "Softsign", "Sqrt", "Swish", "Tan", "Tanh",
  "ThresholdedRelu", "com.microsoft:Gelu", "com.microsoft:FastGelu", "com.microsoft:QuickGelu",
];

// biome-ignore format: a table
const BROADCASTING = [
  "Add", "And", "Div", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Max", "Mean", "Min", "Mul", "Or", "PRelu",
  "Pow", "Sub", "Sum", "Where", "Xor",
];

const unary: BlockedRule = ({ node, ops, isBlocked, mark }) => {
  const x = node.input(0);
  // FastGelu's second input is a bias of the last axis, which no picture has.
  if (!isBlocked(x) || (node.domain !== "" && node.inputs[1])) return undefined;
  const y = ops.emit(node.operator, node.inputs, Object.fromEntries(node.attributes), { domain: node.domain });
  return [mark(y)];
};

const broadcasting: BlockedRule = (context) => {
  const { node, ops, isBlocked, mark } = context;
  const shape = staticShape(node.output());
  if (!shape || !node.inputs.some((input) => isBlocked(input) && sameShape(input, shape))) return undefined;
  const fused = fusedAdd(context) ?? perChannel(context, shape);
  if (fused) return [mark(fused)];
  const inputs = node.inputs.map((input) => input && operand(context, input, shape));
  if (inputs.some((input) => input === undefined)) return undefined;
  const attributes = Object.fromEntries(node.attributes);
  if (node.inputs.every((input) => isScalar(input) || sameShape(input, shape))) {
    return [mark(ops.emit(node.operator, inputs as Value[], attributes))];
  }
  // Operands that broadcast: with an axis for the places in a block, each axis broadcasts by itself.
  const [batch, channels, ...places] = shape as [number, number, ...number[]];
  const full = [batch, channels / context.block, ...places, context.block];
  const views = (inputs as Value[]).map((input) => (sameShape(input, shape) ? ops.reshape(input, full) : input));
  return [mark(ops.reshape(ops.emit(node.operator, views, attributes), shape))];
};

/** An operand as the blocked operator takes it; undefined if its layout has no such form. */
function operand({ ops, block, blocked, isBlocked }: BlockedContext, input: Value, shape: readonly number[]) {
  if (isScalar(input)) return ops.reshape(input, []);
  if (sameShape(input, shape)) return isBlocked(input) || input.dtype === "float32" ? blocked(input) : undefined;
  const own = staticShape(input);
  if (!own || isBlocked(input)) return undefined;
  const lengths = [...new Array<number>(4 - own.length).fill(1), ...own] as [number, number, number, number];
  const [batch, channels, height, width] = lengths;
  if (channels === 1) return ops.reshape(input, [batch, 1, height, width, 1]);
  if (height === 1 && width === 1) return ops.reshape(input, [batch, channels / block, 1, 1, block]);
  return undefined;
}

/** A product or sum with one number per channel is one pass of a convolution, broadcasting several. */
function perChannel({ node, ops }: BlockedContext, shape: readonly number[]): Value | undefined {
  const [a, b] = [node.input(0), node.input(1)];
  const [x, other] = sameShape(a, shape) ? [a, b] : [b, a];
  const own = staticShape(other);
  const channels = shape[1]!;
  if (x.dtype !== "float32" || node.inputs.length > 2 || own?.at(-3) !== channels) return undefined;
  if (own.some((length, axis) => length !== 1 && axis !== own.length - 3)) return undefined;
  const numbers = ops.reshape(other, [channels]);
  const ones = () => ops.full([channels], 1);
  switch (node.operator) {
    case "Mul":
      return channelAffine(ops, x, numbers);
    case "Div":
      return x === a ? channelAffine(ops, x, ops.reciprocal(numbers)) : undefined;
    case "Add":
      return channelAffine(ops, x, ones(), numbers);
    case "Sub":
      return x === a
        ? channelAffine(ops, x, ones(), ops.neg(numbers))
        : channelAffine(ops, x, ops.full([channels], -1), numbers);
    default:
      return undefined;
  }
}

/** Adding to the result of a convolution that nobody else reads: the convolution starts from the other summand. */
function fusedAdd({ node, ops, blocked, isReadOnce, canBlock }: BlockedContext): Value | undefined {
  if (node.operator !== "Add") return undefined;
  const [a, b] = [node.input(0), node.input(1)];
  const isOpen = (value: Value) =>
    isNchwc(value.producer, "Conv") &&
    isReadOnce(value) &&
    value.producer.inputs[3] === undefined &&
    !value.producer.attributes.has("activation");
  const [sum, other] = isOpen(a) ? [a, b] : [b, a];
  if (sum === other || !isOpen(sum) || !canBlock(other) || !sameShape(other, ops.shapeOf(sum))) return undefined;
  const conv = sum.producer!;
  const inputs = [conv.input(0), conv.input(1), conv.inputs[2], blocked(other)];
  return emitBlocked(ops, "Conv", inputs, ops.shapeOf(sum), Object.fromEntries(conv.attributes));
}

/** Relu of the result of a convolution that nobody else reads is part of it. */
const relu: BlockedRule = (context) => {
  const { node, ops, isBlocked, isReadOnce, mark } = context;
  const x = node.input(0);
  if (!isBlocked(x)) return undefined;
  const conv = x.producer;
  if (!isNchwc(conv, "Conv") || !isReadOnce(x) || conv.attributes.has("activation")) return unary(context);
  const attributes = { ...Object.fromEntries(conv.attributes), activation: "Relu" };
  return [mark(emitBlocked(ops, "Conv", conv.inputs, ops.shapeOf(x), attributes))];
};

/** dy where y > 0. */
const reluGradient: BlockedRule = ({ node, ops, isBlocked, blocked, canBlock, mark }) => {
  const [dy, y] = [node.input(0), node.input(1)];
  if (!isBlocked(y) || !canBlock(dy)) return undefined;
  return [mark(ops.mul(blocked(dy), step(ops, y)))];
};

/** Numbers per example and channel that all places get, for what already is in blocks. */
const expand: BlockedRule = ({ node, ops, block, canBlock, meetsBlocked, mark }) => {
  const from = staticShape(node.input(0));
  const y = node.output();
  if (!canBlock(y) || !from || from.length !== 4 || !meetsBlocked()) return undefined;
  const shape = ops.shapeOf(y);
  const [batch, channels, ...places] = shape as [number, number, ...number[]];
  if (from[2] !== 1 || from[3] !== 1 || from[1] !== channels) return undefined;
  const small = ops.reshape(node.input(0), [from[0]!, channels / block, 1, 1, block]);
  return [mark(ops.reshape(ops.expand(small, [batch, channels / block, ...places, block]), shape))];
};

function isScalar(value: Value | undefined): boolean {
  return staticShape(value!)?.every((length) => length === 1) ?? false;
}

function sameShape(value: Value | undefined, shape: readonly number[]): boolean {
  return value !== undefined && staticShape(value)?.join() === shape.join();
}

export const elementwise: Readonly<Record<string, BlockedRule>> = {
  ...Object.fromEntries(UNARY.map((name) => [name, unary])),
  ...Object.fromEntries(BROADCASTING.map((name) => [name, broadcasting])),
  Relu: relu,
  "modicum:ReluGradient": reluGradient,
  Expand: expand,
};
