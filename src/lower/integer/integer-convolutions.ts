/** Integer convolutions: products of byte matrices over windows that are laid side by side. */
import type { Ops } from "../../build/index.ts";
import type { Node, Value } from "../../program/index.ts";
import { int64 } from "../../tensor/index.ts";
import type { Codes } from "../quantized.ts";
import { codesOf, type Lowered, multiplyCodes, pictureCodesOf, signed } from "./codes.ts";
import { hasTaps, tapGradients } from "./tap-gradients.ts";

/**
 * Channels of inputs and of outputs from which on the product of bytes is faster than the float convolution on blocks, laying out windows
 * included: 1.9 times at 256 channels on 8 x 8 places, 2.2 times at 512 on 4 x 4, 0.9 times at 128 on 16 x 16 (AVX-512 VNNI, 2 threads).
 */
const LEAST_CHANNELS = 256;

/** The same for gradients of weights: 1.5 times at 128 channels on 16 x 16 places, 0.9 times at 64 on 32 x 32. */
const LEAST_CHANNELS_OF_WEIGHTS = 128;

/** A convolution with a two-dimensional window. */
export interface Window {
  readonly kernel: readonly [number, number];
  readonly strides: readonly number[];
  /** Beginnings, then ends. */
  readonly pads: readonly number[];
}

/** Convolutions and both of their gradients, by operator. */
export const integerConvolutions: Readonly<Record<string, (node: Node, ops: Ops) => Lowered>> = {
  Conv: forward,
  "modicum:ConvInputGradient": inputGradient,
  "modicum:ConvWeightGradient": weightGradient,
};

/** y = x * w: rows are places, columns output channels. */
function forward(node: Node, ops: Ops): Lowered {
  const [x, w, bias] = node.inputs as [Value, Value, Value | undefined];
  const window = windowOf(node, ops, w, LEAST_CHANNELS);
  const [left, right] = [pictureCodesOf(ops, x), codesOf(ops, w, "int8")];
  if (!window || !left || !right) return undefined;
  const [outputs, channels] = ops.shapeOf(w) as [number, number];
  const [batch, , height, width] = ops.shapeOf(node.output()) as [number, number, number, number];
  const rows = windows(ops, left(), window, [height, width]);
  const places = window.kernel[0] * window.kernel[1];
  const kernels = right();
  // [out, in places] -> [in places, out] -> [places, in, out]: two moves of long rows take a fifth of one of single bytes.
  const columnsFirst = ops.transpose(ops.reshape(kernels.codes, [outputs, channels * places]), [1, 0]);
  const turned = ops.transpose(ops.reshape(columnsFirst, [channels, places, outputs]), [1, 0, 2]);
  const columns = { ...kernels, codes: ops.reshape(turned, [places * channels, outputs]) };
  const y = multiplyCodes(ops, rows, columns, bias);
  return [ops.transpose(ops.reshape(y, [batch, height, width, outputs]), [0, 3, 1, 2])];
}

/** dx = dy * w turned by half, for windows that move by one place. */
function inputGradient(node: Node, ops: Ops): Lowered {
  const [dy, w] = [node.input(0), node.input(1)];
  const window = windowOf(node, ops, w, LEAST_CHANNELS);
  const [left, right] = [pictureCodesOf(ops, dy), codesOf(ops, w, "int8")];
  if (!window || !left || !right || window.strides.some((stride) => stride !== 1)) return undefined;
  const [outputs, channels] = ops.shapeOf(w) as [number, number];
  const [batch, , height, width] = node.ints("input_shape") as readonly number[] as [number, number, number, number];
  const { kernel, pads } = window;
  const rest = pads.map((pad, index) => kernel[index % 2]! - 1 - pad);
  if (rest.some((pad) => pad < 0)) return undefined;
  const rows = windows(ops, left(), { kernel, strides: [1, 1], pads: rest }, [height, width]);
  const places = kernel[0] * kernel[1];
  const kernels = right();
  // [out, in, places] -> [places, out, in], the last place first.
  const turned = ops.reshape(ops.transpose(ops.reshape(kernels.codes, [-1, places]), [1, 0]), [
    places,
    outputs,
    channels,
  ]);
  const order = ops.constant(int64(Array.from({ length: places }, (_, place) => places - 1 - place)));
  const flipped = places === 1 ? turned : ops.gather(turned, order, 0);
  const columns = { ...kernels, codes: ops.reshape(flipped, [places * outputs, channels]) };
  const dx = multiplyCodes(ops, rows, columns);
  return [ops.transpose(ops.reshape(dx, [batch, height, width, channels]), [0, 3, 1, 2])];
}

/** dw = dy^T x over all places of all examples. */
function weightGradient(node: Node, ops: Ops): Lowered {
  const [x, dy] = [node.input(0), node.input(1)];
  const window = windowOf(node, ops, node.output(), 1);
  const [left, right] = [pictureCodesOf(ops, dy), pictureCodesOf(ops, x)];
  if (!window || !left || !right) return undefined;
  const [outputs, channels] = node.ints("weight_shape") as readonly number[] as [number, number];
  const [batch, , height, width] = ops.shapeOf(dy) as [number, number, number, number];
  if (hasTaps(window, [outputs, channels], height * width)) return [tapGradients(ops, right(), left())];
  if (Math.min(outputs, channels) < LEAST_CHANNELS_OF_WEIGHTS) return undefined;
  const gradient = left();
  const places = batch * height * width;
  const rows = { ...gradient, codes: ops.transpose(ops.reshape(gradient.codes, [places, outputs]), [1, 0]) };
  const taps = window.kernel[0] * window.kernel[1];
  const columns = windows(ops, signed(ops, right()), window, [height, width]);
  const dw = ops.reshape(multiplyCodes(ops, rows, columns), [outputs, taps, channels]);
  return [ops.reshape(ops.transpose(dw, [0, 2, 1]), ops.shapeOf(node.output()))];
}

/** The window of a convolution that is worth it; undefined for others. */
export function windowOf(node: Node, ops: Ops, w: Value, leastChannels: number): Window | undefined {
  const [outputs, channels, ...kernel] = ops.shapeOf(w) as [number, number, ...number[]];
  const isPlain = node.int("group", 1) === 1 && (node.ints("dilations") ?? []).every((dilation) => dilation === 1);
  const hasPads = node.string("auto_pad", "NOTSET") === "NOTSET";
  if (kernel.length !== 2 || !isPlain || !hasPads || Math.min(outputs, channels) < leastChannels) return undefined;
  return {
    kernel: kernel as [number, number],
    strides: node.ints("strides") ?? [1, 1],
    pads: node.ints("pads") ?? [0, 0, 0, 0],
  };
}

/** Windows as rows: codes [batch, ..., channels] -> [batch height width, places channels], padded with what stands for zero. */
function windows(
  ops: Ops,
  codes: Codes,
  { kernel, strides, pads }: Window,
  [height, width]: readonly [number, number],
): Codes {
  const [batch, , , channels] = ops.shapeOf(codes.codes) as [number, number, number, number];
  const [top, left, bottom, right] = pads as [number, number, number, number];
  const isPadded = pads.some((pad) => pad > 0);
  const whole = isPadded
    ? ops.emit("Pad", [codes.codes, ops.constant(int64([0, top, left, 0, 0, bottom, right, 0])), codes.zeroPoint])
    : codes.codes;
  const shifts = (value: Value, axis: number, count: number, stride: number, length: number): Value => {
    const parts = Array.from({ length: count }, (_, start) =>
      ops.slice(value, { axes: [axis], starts: [start], ends: [start + (length - 1) * stride + 1], steps: [stride] }),
    );
    return parts.length === 1 ? parts[0]! : ops.concat(parts, 3);
  };
  const columns = shifts(whole, 2, kernel[1], strides[1]!, width);
  const rows = shifts(columns, 1, kernel[0], strides[0]!, height);
  return { ...codes, codes: ops.reshape(rows, [batch * height * width, kernel[0] * kernel[1] * channels]) };
}
