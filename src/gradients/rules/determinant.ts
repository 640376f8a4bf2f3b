/** Gradient of the determinant. */
import type { GradientRule, Ops } from "../../build/index.ts";
import type { Value } from "../../program/index.ts";
import { int64, tensorOf } from "../../tensor/index.ts";

/**
 * y = det(X): dX = dy C, C the matrix of cofactors, which exists for singular matrices too (det(X) X^-T does not).
 *
 * Shapes: x [...batch, size, size], y [...batch].
 */
const det: GradientRule = ({ node, ops, dy }) => {
  const x = node.input(0);
  return [ops.mul(ops.unsqueeze(dy, [-2, -1]), cofactors(ops, x))];
};

/** All cofactors as one Det over minors. Shapes: x [...batch, size, size] -> [...batch, size, size] */
function cofactors(ops: Ops, x: Value): Value {
  const shape = ops.shapeOf(x);
  const [rank, size] = [shape.length, shape.at(-1)!];
  if (size === 1) return ops.full(shape, 1, x.dtype);
  const others = Array.from({ length: size }, (_, left) =>
    Array.from({ length: size }, (_, index) => index).filter((index) => index !== left),
  );
  const indices = ops.constant(int64(others.flat(), [size, size - 1]));
  // [...batch, size (row left out), size - 1, size], then [..., size - 1, size (column left out), size - 1]
  const rows = ops.gather(x, indices, rank - 2);
  const both = ops.gather(rows, indices, rank);
  const lead = shape.slice(0, -2).map((_, axis) => axis);
  const minors = ops.transpose(both, [...lead, rank - 2, rank, rank - 1, rank + 1]);
  const signs = others.flatMap((_, row) => others.map((_, column) => ((row + column) % 2 === 0 ? 1 : -1)));
  return ops.mul(ops.emit("Det", [minors]), ops.constant(tensorOf(x.dtype!, [size, size], signs)));
}

/** The determinant. */
export const determinants: Readonly<Record<string, GradientRule>> = { Det: det };
