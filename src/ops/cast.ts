/** Operators that change the element type and keep the shape. */
import type { Dimension, Node } from "../program/index.ts";
import { bitsOf, type DType, dtypeFromCode, isFloat } from "../tensor/index.ts";
import { type Fact, family, type InferenceContext, type Operator } from "./operator.ts";

/** Returns the element type that an integer attribute names, or `fallback` when the attribute is absent. */
export function dtypeAttribute(node: Node, name: string, fallback?: DType): DType | undefined {
  const code = node.int(name);
  return code === undefined ? fallback : dtypeFromCode(code);
}

function inferCast(node: Node, context: InferenceContext): readonly Fact[] {
  // Operator sets before 6 name the type ("FLOAT"); those are left to the declared type.
  return [castFact(context.input(0), dtypeAttribute(node, "to"))];
}

function inferCastLike(_node: Node, context: InferenceContext): readonly Fact[] {
  return [castFact(context.input(0), context.input(1).dtype)];
}

function castFact(from: Fact, dtype: DType | undefined): Fact {
  return { dtype, shape: from.shape, elements: dtype && from.elements?.map((element) => castElement(element, dtype)) };
}

function castElement(element: Dimension, dtype: DType): Dimension {
  if (dtype === "bool") return typeof element === "number" ? Number(element !== 0) : null;
  if (isFloat(dtype)) return element;
  // Narrow integers wrap around and 8-bit floats round; contents of such tensors are not followed.
  if (!dtype.includes("int") || bitsOf(dtype) < 32) return null;
  return typeof element === "number" ? Math.trunc(element) : element;
}

function inferTest(_node: Node, context: InferenceContext): readonly Fact[] {
  return [{ dtype: "bool", shape: context.input(0).shape }];
}

/** Cast and other operators that only change the element type. */
export const cast: readonly Operator[] = [
  ...family(["Cast"], { infer: inferCast }),
  ...family(["CastLike"], { since: 15, infer: inferCastLike }),
  ...family(["IsInf", "IsNaN"], { since: 9, infer: inferTest }),
];
