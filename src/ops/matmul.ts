/** Matrix products: float, integer and quantized. */
import { type Node, type Shape, staticShape } from "../program/index.ts";
import { elementCount } from "../tensor/index.ts";
import { broadcastShapes } from "./broadcast.ts";
import { dimensionsDiffer } from "./dimension.ts";
import { type Fact, family, type InferenceContext, MICROSOFT, type Operator } from "./operator.ts";
import { shapeMismatch } from "./shape-check.ts";

/** Shapes: a [...batch, m, k], b [...batch, k, n] -> [...batch, m, n]; a vector loses its axis. */
export function productShape(node: Node, a: Shape | undefined, b: Shape | undefined): Shape | undefined {
  if (!a || !b) return undefined;
  if (a.length === 0 || b.length === 0) throw shapeMismatch(node, "operands must not be scalars", a, b);
  const inner = b.length === 1 ? b[0]! : b.at(-2)!;
  if (dimensionsDiffer(a.at(-1)!, inner)) throw shapeMismatch(node, "inner lengths must be equal", a, b);
  const batch = broadcastShapes(node, a.slice(0, -2), b.slice(0, -2))!;
  return [...batch, ...(a.length > 1 ? [a.at(-2)!] : []), ...(b.length > 1 ? [b.at(-1)!] : [])];
}

function inferMatMul(node: Node, context: InferenceContext): readonly Fact[] {
  const [a, b] = [context.input(0), context.input(1)];
  return [{ dtype: a.dtype ?? b.dtype, shape: productShape(node, a.shape, b.shape) }];
}

function inferInteger(node: Node, context: InferenceContext): readonly Fact[] {
  return [{ dtype: "int32", shape: productShape(node, context.input(0).shape, context.input(1).shape) }];
}

/** QLinearMatMul: (a, a_scale, a_zero_point, b, b_scale, b_zero_point, y_scale, y_zero_point). */
function inferQuantized(node: Node, context: InferenceContext): readonly Fact[] {
  return [{ dtype: context.input(7).dtype, shape: productShape(node, context.input(0).shape, context.input(3).shape) }];
}

/** (A uint8, B int8, a_scale, b_scale, ...) or (A float, B int8, b_scale, ...): float out. */
function inferToFloat(node: Node, context: InferenceContext): readonly Fact[] {
  return [{ dtype: context.input(2).dtype, shape: productShape(node, context.input(0).shape, context.input(1).shape) }];
}

function swapLast(shape: Shape | undefined): Shape | undefined {
  return shape && shape.length > 1 ? [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!] : shape;
}

function inferFused(node: Node, context: InferenceContext): readonly Fact[] {
  const [a, b] = [context.input(0), context.input(1)];
  // transBatchA/B move the batch axis inwards; they occur only inside ONNX Runtime's own rewrites.
  if (node.int("transBatchA", 0) || node.int("transBatchB", 0)) return [{ dtype: a.dtype }];
  const left = node.int("transA", 0) ? swapLast(a.shape) : a.shape;
  const right = node.int("transB", 0) ? swapLast(b.shape) : b.shape;
  return [{ dtype: a.dtype, shape: productShape(node, left, right) }];
}

/** MatMulNBits and its kin: A [...batch, K] times packed weights [N, ...]. */
function inferPacked(node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape } = context.input(0);
  if (!shape) return [{ dtype }];
  const inner = node.int("K");
  if (inner !== undefined && dimensionsDiffer(shape.at(-1) ?? null, inner))
    throw shapeMismatch(node, `the last axis of A must be K = ${inner}`, shape);
  return [{ dtype, shape: [...shape.slice(0, -1), node.int("N") ?? null] }];
}

function countPacked(node: Node): number | undefined {
  const a = staticShape(node.input(0));
  const outputs = node.int("N");
  return a && outputs !== undefined ? elementCount(a) * outputs : undefined;
}

/** Every output element is a sum over the inner length, the last axis of a (the one before when a is transposed). */
function countMatMul(node: Node): number | undefined {
  const a = staticShape(node.input(0));
  const y = staticShape(node.output());
  if (!a || !y) return undefined;
  return elementCount(y) * a.at(node.int("transA", 0) && a.length > 1 ? -2 : -1)!;
}

/** Matrix products. */
export const matMul: readonly Operator[] = [
  ...family(["MatMul"], { infer: inferMatMul, macs: countMatMul }),
  ...family(["MatMulInteger"], { since: 10, infer: inferInteger, macs: countMatMul }),
  ...family(["QLinearMatMul"], { since: 10, infer: inferQuantized, macs: countMatMul }),
  ...family(["MatMulInteger16"], { domain: MICROSOFT, infer: inferInteger, macs: countMatMul }),
  ...family(["DynamicQuantizeMatMul", "MatMulIntegerToFloat"], {
    domain: MICROSOFT,
    infer: inferToFloat,
    macs: countMatMul,
  }),
  ...family(["FusedMatMul", "TransposeMatMul"], { domain: MICROSOFT, infer: inferFused, macs: countMatMul }),
  ...family(["MatMulNBits", "MatMulBnb4", "MatMulFpQ4"], { domain: MICROSOFT, infer: inferPacked, macs: countPacked }),
];
