/** Operators that combine tensors element by element, broadcasting their shapes. */
import type { Dimension, Node, Shape } from "../program/index.ts";
import type { DType } from "../tensor/index.ts";
import { broadcastShapes } from "./broadcast.ts";
import { addDimensions, divideDimensions, multiplyDimensions, subtractDimensions } from "./dimension.ts";
import { broadcastElements } from "./elements.ts";
import { type Fact, family, type InferenceContext, MICROSOFT, type Operator } from "./operator.ts";

type Rule = (a: Dimension, b: Dimension, integers: boolean) => Dimension;

function onNumbers(rule: (a: number, b: number) => number): Rule {
  return (a, b) => (typeof a === "number" && typeof b === "number" ? rule(a, b) : null);
}

function compare(rule: (a: number, b: number) => boolean): Rule {
  return onNumbers((a, b) => Number(rule(a, b)));
}

function divide(a: Dimension, b: Dimension, integers: boolean): Dimension {
  return typeof a === "number" && typeof b === "number" && !integers ? a / b : divideDimensions(a, b);
}

/** Rules for the operators that occur in computations of shapes. */
const EVALUATED: Readonly<Record<string, Rule>> = {
  Add: addDimensions,
  Sub: subtractDimensions,
  Mul: multiplyDimensions,
  Div: divide,
  Pow: onNumbers((a, b) => a ** b),
  Min: (a, b) => (a === b ? a : onNumbers(Math.min)(a, b, false)),
  Max: (a, b) => (a === b ? a : onNumbers(Math.max)(a, b, false)),
  Equal: (a, b) => (a !== null && a === b ? 1 : compare((x, y) => x === y)(a, b, false)),
  Less: compare((a, b) => a < b),
  LessOrEqual: compare((a, b) => a <= b),
  Greater: compare((a, b) => a > b),
  GreaterOrEqual: compare((a, b) => a >= b),
  And: compare((a, b) => a !== 0 && b !== 0),
  Or: compare((a, b) => a !== 0 || b !== 0),
  Xor: compare((a, b) => (a !== 0) !== (b !== 0)),
};

/** Remainder with the sign of the divisor, or with `fmod` that of the dividend. */
function remainder(node: Node): Rule {
  return onNumbers((a, b) => (node.int("fmod", 0) ? a % b : a - b * Math.floor(a / b)));
}

function inferBroadcast(node: Node, context: InferenceContext, dtype: DType | undefined): readonly Fact[] {
  const inputs = node.inputs.map((_, index) => context.input(index));
  // Operator sets before 7 broadcast the second input to the first, along `axis`.
  const oldStyle = node.domain === "" && node.int("broadcast", 0) === 1;
  const shape = oldStyle ? context.input(0).shape : broadcastShapes(node, ...inputs.map((input) => input.shape));
  const rule = node.operator === "Mod" ? remainder(node) : EVALUATED[node.operator];
  if (!rule || oldStyle || inputs.length === 0) return [{ dtype, shape }];
  const combined = inputs.reduce((a, b) => ({
    dtype: a.dtype,
    shape: broadcastShapes(node, a.shape, b.shape),
    elements: combineElements(node, a, b, rule),
  }));
  return [{ dtype, shape, elements: combined.elements }];
}

function combineElements(node: Node, a: Fact, b: Fact, rule: Rule): readonly Dimension[] | undefined {
  const shape = broadcastShapes(node, a.shape, b.shape);
  const left = broadcastElements(a, shape);
  const right = broadcastElements(b, shape);
  const integers = a.dtype?.includes("int") ?? false;
  return left && right && left.map((x, index) => inPrecision(a.dtype, rule(x, right[index]!, integers)));
}

/** Rounds a number as the element type does; in integers narrow enough to wrap around it is taken as unknown. */
export function inPrecision(dtype: DType | undefined, x: Dimension): Dimension {
  if (dtype === "int64" || dtype === "int32" || dtype === "float64" || dtype === "bool") return x;
  return dtype === "float32" ? (typeof x === "number" ? Math.fround(x) : x) : null;
}

function inferSameType(node: Node, context: InferenceContext): readonly Fact[] {
  return inferBroadcast(node, context, context.input(0).dtype);
}

function inferBoolean(node: Node, context: InferenceContext): readonly Fact[] {
  return inferBroadcast(node, context, "bool");
}

/** PRelu broadcasts its slope to the input, never the other way. */
function inferFirstShape(node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape } = context.input(0);
  const slope: Shape | undefined = context.input(1).shape;
  // Operator sets before 7 take one slope per channel.
  if (context.opset >= 7) broadcastShapes(node, shape, slope);
  return [{ dtype, shape }];
}

// biome-ignore format: a table
const SAME_TYPE = [
  "Add", "BitShift", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "Div", "Max", "Mean", "Min", "Mod", "Mul", "Pow", "Sub", "Sum",
];
const BOOLEAN = ["And", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Or", "Xor"];

/** QLinearAdd, QLinearMul: (A, A_scale, A_zero_point, B, B_scale, B_zero_point, C_scale, C_zero_point). */
function inferQuantized(node: Node, context: InferenceContext): readonly Fact[] {
  const a = context.input(0);
  return [{ dtype: a.dtype, shape: broadcastShapes(node, a.shape, context.input(3).shape) }];
}

/** Elementwise operators of two or more inputs. */
export const elementwiseBinary: readonly Operator[] = [
  ...family(SAME_TYPE, { infer: inferSameType }),
  ...family(BOOLEAN, { infer: inferBoolean }),
  ...family(["PRelu"], { infer: inferFirstShape }),
  ...family(["QLinearAdd", "QLinearMul"], { domain: MICROSOFT, infer: inferQuantized }),
];
