/** Gradients of convolutions: three bilinear maps, each the gradient of the others. */
import type { Attributes, GradientContext, GradientRule, Ops } from "../../build/index.ts";
import type { Value } from "../../program/index.ts";
import { resolvedPads, transposedPads } from "./window.ts";

/** Strides, dilations, pads (as numbers) and group. */
type WindowAttributes = Attributes & { readonly pads: readonly number[] };

/** y = Conv(x, w) */
function convolve(ops: Ops, x: Value, w: Value, window: WindowAttributes): Value {
  return ops.emit("Conv", [x, w], window);
}

/** The transpose of x -> Conv(x, w): from dy to what has x's shape. */
function inputGradient(ops: Ops, dy: Value, w: Value, window: WindowAttributes, shape: readonly number[]): Value {
  return ops.emit("ConvInputGradient", [dy, w], { ...window, input_shape: shape }, { domain: "modicum" });
}

/** The transpose of w -> Conv(x, w): from dy to what has w's shape. */
function weightGradient(ops: Ops, x: Value, dy: Value, window: WindowAttributes, shape: readonly number[]): Value {
  return ops.emit("ConvWeightGradient", [x, dy], { ...window, weight_shape: shape }, { domain: "modicum" });
}

/** One number per channel. */
function biasGradient(ops: Ops, dy: Value): Value {
  const axes = ops.shapeOf(dy).flatMap((_, axis) => (axis === 1 ? [] : [axis]));
  return ops.reduceSum(dy, { axes, keepDims: false });
}

function windowAttributes({ node }: GradientContext, pads: readonly number[]): WindowAttributes {
  return { strides: node.ints("strides"), dilations: node.ints("dilations"), group: node.int("group"), pads };
}

/** y = Conv(x, w) + b */
const conv: GradientRule = (context) => {
  const { node, ops, dy } = context;
  const [x, w] = [node.input(0), node.input(1)];
  const [shapeX, shapeW] = [ops.shapeOf(x), ops.shapeOf(w)];
  const window = windowAttributes(context, resolvedPads(node, shapeX.slice(2), shapeW.slice(2)));
  return [
    context.needs(0) ? inputGradient(ops, dy, w, window, shapeX) : undefined,
    context.needs(1) ? weightGradient(ops, x, dy, window, shapeW) : undefined,
    context.needs(2) ? biasGradient(ops, dy) : undefined,
  ];
};

/** y = the transpose of a convolution, applied to x, + b. Its places beyond the last window (output_padding) get the bias alone. */
const convTranspose: GradientRule = (context) => {
  const { node, ops } = context;
  const [x, w] = [node.input(0), node.input(1)];
  const shapeW = ops.shapeOf(w);
  const { pads, reached } = transposedPads(
    node,
    ops.shapeOf(x).slice(2),
    shapeW.slice(2),
    ops.shapeOf(context.dy).slice(2),
  );
  const window = windowAttributes(context, pads);
  const axes = reached.map((_, axis) => axis + 2);
  const isWhole = reached.every((length, axis) => length === ops.shapeOf(context.dy)[axis + 2]);
  const dy = isWhole ? context.dy : ops.slice(context.dy, { axes, starts: axes.map(() => 0), ends: reached });
  return [
    context.needs(0) ? convolve(ops, dy, w, window) : undefined,
    context.needs(1) ? weightGradient(ops, dy, x, window, shapeW) : undefined,
    context.needs(2) ? biasGradient(ops, context.dy) : undefined,
  ];
};

/** dx, linear in dy and in w. */
const convInputGradient: GradientRule = (context) => {
  const { node, ops, dy: g } = context;
  const [dy, w] = [node.input(0), node.input(1)];
  const window = windowAttributes(context, node.ints("pads")!);
  return [
    context.needs(0) ? convolve(ops, g, w, window) : undefined,
    context.needs(1) ? weightGradient(ops, g, dy, window, ops.shapeOf(w)) : undefined,
  ];
};

/** dw, linear in x and in dy. */
const convWeightGradient: GradientRule = (context) => {
  const { node, ops, dy: g } = context;
  const [x, dy] = [node.input(0), node.input(1)];
  const window = windowAttributes(context, node.ints("pads")!);
  return [
    context.needs(0) ? inputGradient(ops, dy, g, window, ops.shapeOf(x)) : undefined,
    context.needs(1) ? convolve(ops, x, g, window) : undefined,
  ];
};

/** Convolutions. */
export const convolutions: Readonly<Record<string, GradientRule>> = {
  Conv: conv,
  ConvTranspose: convTranspose,
  "modicum:ConvInputGradient": convInputGradient,
  "modicum:ConvWeightGradient": convWeightGradient,
};
