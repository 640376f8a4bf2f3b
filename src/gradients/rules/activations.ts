/** Gradients of activations. */
import type { GradientRule } from "../../build/index.ts";

/** y = max(x, 0): dy where y > 0. */
const relu: GradientRule = ({ node, ops, dy }) => [
  ops.emit("ReluGradient", [dy, node.output()], {}, { domain: "modicum" }),
];

/** Activations. */
export const activations: Readonly<Record<string, GradientRule>> = { Relu: relu };
