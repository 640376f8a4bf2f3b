/** The convolutions that are measured: those of common networks, on batches small enough to be quick. */
import type { ConvolutionShape } from "./form.ts";

type Row = readonly [
  inputs: number,
  outputs: number,
  lengths: readonly number[],
  kernel: readonly number[],
  stride: number,
];

const EXAMPLES = 32;

const DENSE: readonly Row[] = [
  // LeNet and friends on 28x28 pictures; pictures of three channels.
  [1, 6, [28, 28], [5, 5], 1],
  [6, 16, [14, 14], [5, 5], 1],
  [1, 32, [28, 28], [3, 3], 1],
  [3, 16, [32, 32], [3, 3], 1],
  [3, 64, [32, 32], [3, 3], 1],
  [3, 64, [64, 64], [7, 7], 2],
  // Residual networks for CIFAR.
  [8, 8, [32, 32], [3, 3], 1],
  [16, 16, [32, 32], [3, 3], 1],
  [24, 24, [16, 16], [3, 3], 1],
  [32, 32, [16, 16], [3, 3], 1],
  [64, 64, [8, 8], [3, 3], 1],
  [64, 64, [32, 32], [3, 3], 1],
  [128, 128, [16, 16], [3, 3], 1],
  [256, 256, [8, 8], [3, 3], 1],
  [512, 512, [4, 4], [3, 3], 1],
  [16, 32, [32, 32], [3, 3], 2],
  [64, 128, [32, 32], [3, 3], 2],
  [128, 256, [16, 16], [3, 3], 2],
  // Bottlenecks and shortcuts.
  [32, 128, [16, 16], [1, 1], 1],
  [128, 32, [16, 16], [1, 1], 1],
  [16, 32, [32, 32], [1, 1], 2],
  [64, 128, [16, 16], [1, 1], 2],
  // Sequences.
  [16, 32, [512], [9], 1],
  [64, 64, [256], [3], 1],
  [64, 128, [256], [3], 2],
];

const DEPTHWISE: readonly Row[] = [
  [32, 32, [28, 28], [3, 3], 1],
  [128, 128, [14, 14], [3, 3], 1],
  [64, 64, [28, 28], [3, 3], 2],
];

export const TUNED_SHAPES: readonly ConvolutionShape[] = [
  ...DENSE.map((row) => shapeOf(row, 1)),
  ...DEPTHWISE.map((row) => shapeOf(row, row[0])),
];

function shapeOf([inputs, outputs, lengths, kernel, stride]: Row, group: number): ConvolutionShape {
  return { examples: EXAMPLES, inputs, outputs, lengths, kernel, stride, group };
}
