/** General matrix product with transposition and bias. */
import { type Node, staticShape } from "../program/index.ts";
import { broadcastShapes } from "./broadcast.ts";
import { dimensionsDiffer } from "./dimension.ts";
import { type Fact, family, type InferenceContext, MICROSOFT, type Operator } from "./operator.ts";
import { assertRank, shapeMismatch } from "./shape-check.ts";

/** Shapes: A [m, k] or transposed, B [k, n] or transposed, C broadcast to [m, n] -> [m, n]. */
function inferGemm(node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype } = context.input(0);
  return [{ dtype, shape: gemmShape(node, context, 1, 2) }];
}

/** QGemm: (A, a_scale, a_zero_point, B, b_scale, b_zero_point, C, y_scale, y_zero_point); float without y_scale. */
function inferQuantized(node: Node, context: InferenceContext): readonly Fact[] {
  const dtype = node.inputs[8] ? context.input(8).dtype : context.input(1).dtype;
  return [{ dtype, shape: gemmShape(node, context, 3, 6) }];
}

function gemmShape(node: Node, context: InferenceContext, right: number, bias: number): Fact["shape"] {
  const [a, b, c] = [context.input(0).shape, context.input(right).shape, context.input(bias).shape];
  assertRank(node, "A", a, 2);
  assertRank(node, "B", b, 2);
  const [rows, inner] = node.int("transA", 0) ? [a?.[1], a?.[0]] : [a?.[0], a?.[1]];
  const [innerRight, columns] = node.int("transB", 0) ? [b?.[1], b?.[0]] : [b?.[0], b?.[1]];
  if (dimensionsDiffer(inner ?? null, innerRight ?? null))
    throw shapeMismatch(node, "inner lengths must be equal", a, b);
  const shape = [rows ?? null, columns ?? null];
  const withBias = c ? broadcastShapes(node, shape, c) : shape;
  if (withBias?.length !== 2 || shape.some((length, axis) => dimensionsDiffer(length, withBias[axis]!)))
    throw shapeMismatch(node, "C must broadcast to the product", shape, c);
  return shape;
}

function countGemm(node: Node): number | undefined {
  const a = staticShape(node.input(0));
  const y = staticShape(node.output());
  return a && y && y[0]! * y[1]! * a[node.int("transA", 0) ? 0 : 1]!;
}

/** General matrix products. */
export const gemm: readonly Operator[] = [
  ...family(["Gemm"], { infer: inferGemm, macs: countGemm }),
  ...family(["FusedGemm"], { domain: MICROSOFT, infer: inferGemm, macs: countGemm }),
  ...family(["QGemm"], { domain: MICROSOFT, infer: inferQuantized, macs: countGemm }),
];
