/** Gradients of matrix products. */
import type { GradientRule } from "../../build/index.ts";
import { unbroadcast } from "./arithmetic.ts";

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
    const gradient = ops.matMul(ops.transposeLast(rows), dy);
    return shapeB.length === 1 ? ops.squeeze(gradient, [-1]) : gradient;
  };
  return [
    context.needs(0) ? unbroadcast(context, 0, ops.matMul(dy, ops.transposeLast(columns))) : undefined,
    context.needs(1) ? unbroadcast(context, 1, columnGradient()) : undefined,
  ];
};

/** Matrix products. */
export const products: Readonly<Record<string, GradientRule>> = { MatMul: matMul };
