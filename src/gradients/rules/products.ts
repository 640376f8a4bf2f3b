/** Gradients of matrix products. */
import type { GradientRule, Ops } from "../../build/index.ts";
import type { Value } from "../../program/index.ts";
import { elementCount } from "../../tensor/index.ts";
import { unbroadcast } from "./arithmetic.ts";
import { throughDecomposition } from "./through-decomposition.ts";

/**
 * Y = A B: dA = dY B^T, dB = A^T dY, with batch axes summed where they were broadcast.
 *
 * Shapes: a [...batch, m, k], b [...batch, k, n], y [...batch, m, n]; vectors count as one row (a) or one column (b).
 */
const matMul: GradientRule = (context) => {
  const { node, ops } = context;
  const [a, b] = [node.input(0), node.input(1)];
  const [shapeA, shapeB] = [ops.shapeOf(a), ops.shapeOf(b)];
  const rows = shapeA.length === 1 ? ops.unsqueeze(a, [0]) : a;
  const columns = shapeB.length === 1 ? ops.unsqueeze(b, [1]) : b;
  const lost = [...(shapeA.length === 1 ? [-2] : []), ...(shapeB.length === 1 ? [-1] : [])];
  // -1 means the last axis of what comes out, so the axis of b goes back first.
  const dy = lost.length > 0 ? ops.unsqueeze(context.dy, lost) : context.dy;
  const columnGradient = () => {
    const gradient = leftTransposed(ops, rows, dy, ops.rankOf(columns));
    return shapeB.length === 1 ? ops.squeeze(gradient, [-1]) : gradient;
  };
  return [
    context.needs(0) ? unbroadcast(context, 0, ops.matMul(dy, ops.transposeLast(columns))) : undefined,
    context.needs(1) ? unbroadcast(context, 1, columnGradient()) : undefined,
  ];
};

/** A^T dY. For one matrix B of all batches it is one product over all their rows: nothing is summed afterwards. */
function leftTransposed(ops: Ops, a: Value, dy: Value, rankB: number): Value {
  const [shapeA, shapeY] = [ops.shapeOf(a), ops.shapeOf(dy)];
  if (rankB > 2 || shapeA.length === 2) return ops.matMul(ops.transposeLast(a), dy);
  const flat = (x: Value, shape: readonly number[]) =>
    ops.reshape(x, [elementCount(shape.slice(0, -1)), shape.at(-1)!]);
  return ops.matMul(ops.transposeLast(flat(a, shapeA)), flat(dy, shapeY));
}

/** Y = alpha A' B' + beta C, where A' and B' may be transposed; C is broadcast or absent. */
const gemm: GradientRule = (context) => {
  const { node, ops, dy } = context;
  const [a, b] = [node.input(0), node.input(1)];
  const [alpha, beta] = [node.float("alpha", 1), node.float("beta", 1)];
  const [transA, transB] = [node.int("transA", 0), node.int("transB", 0)];
  const product = (left: Value, transLeft: number, right: Value, transRight: number) =>
    ops.emit("Gemm", [left, right], { alpha: { float: alpha }, transA: transLeft, transB: transRight });
  const scaled = (x: Value) => (beta === 1 ? x : ops.mul(x, beta));
  return [
    context.needs(0) ? (transA ? product(b, transB, dy, 1) : product(dy, 0, b, 1 - transB)) : undefined,
    context.needs(1) ? (transB ? product(dy, 1, a, transA) : product(a, 1 - transA, dy, 0)) : undefined,
    context.needs(2) ? unbroadcast(context, 2, scaled(dy)) : undefined,
  ];
};

/** Matrix products. */
export const products: Readonly<Record<string, GradientRule>> = {
  MatMul: matMul,
  Gemm: gemm,
  "com.microsoft:FusedMatMul": throughDecomposition,
};
