/** Nodes that matter to gradients only: gone before anything runs. */
import type { Lowering } from "./lowering.ts";

/** StopGradient gives its input, CustomGradient its last inputs. */
const passOn: Lowering = (node) => node.inputs.slice(-node.outputs.length).map((input) => input!);

/** ReluGradient as a product with a mask: Where is many times slower. */
const reluGradient: Lowering = (node, ops) => {
  const [dy, y] = [node.input(0), node.input(1)];
  return [ops.mul(dy, ops.cast(ops.greater(y, 0), dy.dtype!))];
};

/** What only gradient rules look at. */
export const gradientMarks: Readonly<Record<string, Lowering>> = {
  "modicum:StopGradient": passOn,
  "modicum:CustomGradient": passOn,
};

export const marks: Readonly<Record<string, Lowering>> = {
  ...gradientMarks,
  "modicum:ReluGradient": reluGradient,
};
