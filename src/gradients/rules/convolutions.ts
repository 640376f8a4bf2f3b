/** Gradients of convolutions: three bilinear maps, each the gradient of the others. */
import type { GradientContext, GradientRule } from "../../build/index.ts";
import { resolvedPads } from "./window.ts";

/** y = Conv(x, w) + b */
const conv: GradientRule = (context) => {
  const { node, ops, dy } = context;
  const [x, w] = [node.input(0), node.input(1)];
  const window = windowAttributes(context);
  const settings = { domain: "modicum" };
  const spatial = ops
    .shapeOf(dy)
    .map((_, axis) => axis)
    .filter((axis) => axis !== 1);
  return [
    context.needs(0)
      ? ops.emit("ConvInputGradient", [dy, w], { ...window, input_shape: [...ops.shapeOf(x)] }, settings)
      : undefined,
    context.needs(1)
      ? ops.emit("ConvWeightGradient", [x, dy], { ...window, weight_shape: [...ops.shapeOf(w)] }, settings)
      : undefined,
    context.needs(2) ? ops.reduceSum(dy, { axes: spatial, keepDims: false }) : undefined,
  ];
};

function windowAttributes({ node, ops }: GradientContext) {
  return {
    strides: node.ints("strides"),
    dilations: node.ints("dilations"),
    group: node.int("group"),
    pads: resolvedPads(node, ops.shapeOf(node.input(0)).slice(2), ops.shapeOf(node.input(1)).slice(2)),
  };
}

/** Convolutions. */
export const convolutions: Readonly<Record<string, GradientRule>> = { Conv: conv };
