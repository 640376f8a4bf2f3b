/** Gradient of dropout. */
import type { GradientContext, GradientRule } from "../../build/index.ts";
import { Value } from "../../program/index.ts";
import { mask } from "./activations.ts";

/** ONNX's default. */
const DEFAULT_RATIO = 0.5;

/** y = x mask / (1 - ratio) when training, else y = x. */
const dropout: GradientRule = (context) => {
  const { node, ops, dy } = context;
  const training = node.inputs[2];
  const known = training ? ops.numbersOf(training)?.[0] : 0;
  if (known === 0) return [dy];
  const ratio = node.inputs[1] ? ops.cast(node.inputs[1], dy.dtype!) : ops.scalar(DEFAULT_RATIO, dy.dtype);
  const scale = ops.reciprocal(ops.sub(1, ratio));
  const kept = ops.mul(dy, mask(ops, keptElements(context), dy));
  // Without training the mask is all true.
  return [ops.mul(kept, known === undefined ? ops.where(training!, scale, 1) : scale)];
};

/** Returns the node's mask; a node that does not give it out is made to. */
function keptElements({ node }: GradientContext): Value {
  const known = node.outputs[1];
  if (known) return known;
  const made = new Value(`${node.output().name}:mask`, "bool", node.output().shape);
  made.producer = node;
  node.outputs[1] = made;
  return made;
}

/** Dropout. */
export const dropouts: Readonly<Record<string, GradientRule>> = { Dropout: dropout };
