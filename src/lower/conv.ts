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
 * dw = the convolution of x with dy, batch and channels swapped, strides and dilations swapped; group by group.
 *
 * Shapes: x [batch, channels, ...spatial], dy [batch, out, ...places] -> dw [out, channels / group, ...kernel].
 */
const weightGradient: Lowering = (node, ops) => {
  const [x, dy] = [node.input(0), node.input(1)];
  const shape = node.ints("weight_shape")!;
  const kernel = shape.slice(2);
  const { strides, pads, dilations, group } = windowOf(node, kernel.length);
  const swap = [1, 0, ...kernel.map((_, axis) => axis + 2)];
  const parts = (value: typeof x) =>
    group === 1 ? [value] : ops.split(value, 1, new Array<number>(group).fill(ops.shapeOf(value)[1]! / group));
  const gradients = parts(dy);
  const sums = parts(x).map((part, index) => {
    const places = ops.conv(ops.transpose(part, swap), ops.transpose(gradients[index]!, swap), undefined, {
      strides: dilations,
      dilations: strides,
      pads,
    });
    // Strides may leave a rest of the input that no window reached: those places are no weights.
    const cut = ops.slice(places, {
      axes: kernel.map((_, axis) => axis + 2),
      starts: kernel.map(() => 0),
      ends: kernel,
    });
    return ops.transpose(cut, swap);
  });
  return [sums.length === 1 ? sums[0]! : ops.concat(sums, 0)];
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
