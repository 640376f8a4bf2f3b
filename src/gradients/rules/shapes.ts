/** Gradients of operators that give the same elements another shape. */
import type { GradientRule } from "../../build/index.ts";

/** The elements in the shape they had. */
const restoreShape: GradientRule = ({ node, ops, dy }) => [ops.reshape(dy, ops.shapeOf(node.input(0)))];

/** Reshape and its kin. */
export const shapes: Readonly<Record<string, GradientRule>> = {
  Reshape: restoreShape,
  Squeeze: restoreShape,
  Unsqueeze: restoreShape,
  Flatten: restoreShape,
};
