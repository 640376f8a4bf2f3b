/** Nodes that matter to gradients only: gone before anything runs. */
import type { Ops } from "../build/index.ts";
import type { Value } from "../program/index.ts";
import type { Lowering } from "./lowering.ts";

/** StopGradient gives its input, CustomGradient its last inputs. */
const passOn: Lowering = (node) => node.inputs.slice(-node.outputs.length).map((input) => input!);

/** ReluGradient as a product with a mask: Where is many times slower. */
const reluGradient: Lowering = (node, ops, { device }) => {
  const [dy, y] = [node.input(0), node.input(1)];
  const hasStep = (device === "cpu" || device === "wasm") && y.dtype === "float32";
  return [ops.mul(dy, hasStep ? step(ops, y) : ops.cast(ops.greater(y, 0), dy.dtype!))];
};

/**
 * 1 where x > 0, 0 elsewhere, as a hard sigmoid steep enough to be a step: one pass over memory where a comparison and a cast take
 * several. Numbers below 1e-38 count as 0.
 */
export function step(ops: Ops, x: Value): Value {
  return ops.emit("HardSigmoid", [x], { alpha: { float: 1e38 }, beta: { float: 0 } });
}

/** What only gradient rules look at. */
export const gradientMarks: Readonly<Record<string, Lowering>> = {
  "modicum:StopGradient": passOn,
  "modicum:CustomGradient": passOn,
};

export const marks: Readonly<Record<string, Lowering>> = {
  ...gradientMarks,
  "modicum:ReluGradient": reluGradient,
};
