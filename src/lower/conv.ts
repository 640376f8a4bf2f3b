/** Gradients of convolutions as ONNX operators. */
import type { Lowering } from "./lowering.ts";

/** dx = ConvTranspose(dy, w), with the output padding that makes up what strides cut off. */
const inputGradient: Lowering = (node, ops) => {
  const [dy, w] = [node.input(0), node.input(1)];
  const places = ops.shapeOf(dy).slice(2);
  const kernel = ops.shapeOf(w).slice(2);
  const lengths = node.ints("input_shape")!.slice(2);
  const { strides, pads, dilations, group } = windowOf(node, kernel.length);
  const rest = lengths.map((length, axis) => {
    const covered = (places[axis]! - 1) * strides[axis]! + (kernel[axis]! - 1) * dilations[axis]! + 1;
    return length + pads[axis]! + pads[axis + kernel.length]! - covered;
  });
  return [ops.emit("ConvTranspose", [dy, w], { strides, pads, dilations, group, output_padding: rest })];
};

/**
 * dw = the convolution of x with dy, batch and channels swapped, strides and dilations swapped; one convolution for all groups.
 *
 * Shapes: x [batch, channels, ...spatial], dy [batch, out, ...places] -> dw [out, channels / group, ...kernel].
 */
const weightGradient: Lowering = (node, ops) => {
  const [x, dy] = [node.input(0), node.input(1)];
  const [, channels, ...kernel] = node.ints("weight_shape") as [number, number, ...number[]];
  const { strides, pads, dilations, group } = windowOf(node, kernel.length);
  const axes = kernel.map((_, axis) => axis + 2);
  const [batch, , ...lengths] = ops.shapeOf(x) as [number, number, ...number[]];
  // Samples become channels, of which each group has its own.
  const inGroups = ops.reshape(x, [batch, group, channels, ...lengths]);
  const samples = ops.transpose(inGroups, [2, 1, 0, ...axes.map((axis) => axis + 1)]);
  const swapped = ops.reshape(samples, [channels, group * batch, ...lengths]);
  const kernels = ops.transpose(dy, [1, 0, ...axes]);
  const sums = ops.conv(swapped, kernels, undefined, { strides: dilations, dilations: strides, pads, group });
  // Strides may leave a rest of the input that no window reached: those places are no weights.
  const cut = ops.slice(sums, { axes, starts: kernel.map(() => 0), ends: kernel });
  return [ops.transpose(cut, [1, 0, ...axes])];
};

function windowOf(node: Parameters<Lowering>[0], rank: number) {
  const ones = new Array<number>(rank).fill(1);
  return {
    strides: node.ints("strides") ?? ones,
    dilations: node.ints("dilations") ?? ones,
    pads: node.ints("pads") ?? new Array<number>(2 * rank).fill(0),
    group: node.int("group", 1),
  };
}

export const conv: Readonly<Record<string, Lowering>> = {
  "modicum:ConvInputGradient": inputGradient,
  "modicum:ConvWeightGradient": weightGradient,
};
