/** Broadcasting as NumPy does it: shapes aligned at their last axis, axes of length 1 repeated. */
import type { Dimension, Node, Shape } from "../program/index.ts";
import { shapeMismatch } from "./shape-check.ts";

/**
 * Returns the shape that shapes broadcast to; undefined when one of them has an unknown rank.
 *
 * @throws ShapeError if two lengths differ and neither is 1.
 */
export function broadcastShapes(node: Node, ...shapes: readonly (Shape | undefined)[]): Shape | undefined {
  let result: Shape = [];
  for (const shape of shapes) {
    if (!shape) return undefined;
    result = broadcastPair(node, result, shape);
  }
  return result;
}

function broadcastPair(node: Node, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const x = axis < rank - a.length ? 1 : a[axis - (rank - a.length)]!;
    const y = axis < rank - b.length ? 1 : b[axis - (rank - b.length)]!;
    const length = broadcastLength(x, y);
    if (length === undefined) throw shapeMismatch(node, "shapes must broadcast to one another", a, b);
    return length;
  });
}

/** Undefined when the two contradict each other. An unknown length against a number above 1 must be that number, or 1. */
function broadcastLength(a: Dimension, b: Dimension): Dimension | undefined {
  if (a === 1) return b;
  if (b === 1 || a === b) return a;
  if (typeof a === "number") return typeof b === "number" ? undefined : a;
  return typeof b === "number" ? b : null;
}
