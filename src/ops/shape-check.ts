/** What rules check and refuse: axes and ranks. */
import { ShapeError } from "../errors.ts";
import type { Node, Shape } from "../program/index.ts";

/** Writes a shape for messages: `[batch, 3, ?]`. */
export function formatShape(shape: Shape | undefined): string {
  return shape ? `[${shape.map((length) => length ?? "?").join(", ")}]` : "unknown";
}

/** Makes the error for shapes that contradict an operator. */
export function shapeMismatch(node: Node, must: string, ...shapes: (Shape | undefined)[]): ShapeError {
  return new ShapeError(`${node.label}: ${must}, got ${shapes.map(formatShape).join(" and ")}.`);
}

/** @throws ShapeError unless the shape has `rank` axes, as far as is known. */
export function assertRank(node: Node, what: string, shape: Shape | undefined, rank: number): void {
  if (shape && shape.length !== rank) throw shapeMismatch(node, `${what} must have rank ${rank}`, shape);
}

/**
 * Returns an axis counted from the front.
 *
 * @throws ShapeError if the axis is outside [-rank, rank).
 */
export function normalizeAxis(node: Node, axis: number, rank: number): number {
  if (axis < -rank || axis >= rank)
    throw new ShapeError(`${node.label}: axis must lie in [${-rank}, ${rank - 1}], got ${axis}.`);
  return axis < 0 ? axis + rank : axis;
}
