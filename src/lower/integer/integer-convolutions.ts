/** Integer convolutions: products of byte matrices over windows that are laid side by side. */
import type { Ops } from "../../build/index.ts";
import type { Node, Value } from "../../program/index.ts";
import { elementCount, int64 } from "../../tensor/index.ts";
import { type AxisPhases, phasesOf } from "../forms/phases.ts";
import type { Codes } from "../quantized.ts";
import { codesOf, type Lowered, multiplyCodes, pictureCodesOf, signed } from "./codes.ts";
import { hasTaps, tapGradients } from "./tap-gradients.ts";

/**
 * Channels of inputs and of outputs from which on the product of bytes is faster than the float convolution on blocks, laying out windows
 * included: 1.9 times at 256 channels on 8 x 8 places, 2.2 times at 512 on 4 x 4, 0.9 times at 128 on 16 x 16 (AVX-512 VNNI, 2 threads).
 */
const LEAST_CHANNELS = 256;

/** The same for gradients of weights. */
const LEAST_CHANNELS_OF_WEIGHTS = 64;

/** The same for gradients of inputs behind windows that move by several places. */
const LEAST_CHANNELS_OF_STRIDES = 64;

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

/**
 * dx = dy * w turned by half. Windows that move by more than one place give each phase of the input taps of its own: all phases come out
 * of one product, next to each other.
 */
function inputGradient(node: Node, ops: Ops): Lowered {
  const [dy, w] = [node.input(0), node.input(1)];
  const isStrided = node.ints("strides")?.some((stride) => stride !== 1) ?? false;
  const window = windowOf(node, ops, w, isStrided ? LEAST_CHANNELS_OF_STRIDES : LEAST_CHANNELS);
  const [left, right] = [pictureCodesOf(ops, dy), codesOf(ops, w, "int8")];
  const [, channels] = ops.shapeOf(w) as [number, number];
  const [batch, , height, width] = node.ints("input_shape") as readonly number[] as [number, number, number, number];
  const phases = window && phasesOfWindow(window, [height, width], ops.shapeOf(dy).slice(2));
  // A single tap leaves most phases without one.
  if (!window || !left || !right || !phases || (isStrided && elementCount(window.kernel) === 1)) return undefined;
  const [down, across] = phases;
  const kernel = [down.taps[0]!.length, across.taps[0]!.length] as const;
  const pads = [down.begin, across.begin, down.end, across.end];
  const rows = windows(ops, left(), { kernel, strides: [1, 1], pads }, [down.length, across.length]);
  const dx = multiplyCodes(ops, rows, phaseKernels(ops, right(), window, phases));
  const [tall, wide] = [down.length * down.taps.length, across.length * across.taps.length];
  const parts = [batch, down.length, across.length, down.taps.length, across.taps.length, channels];
  const joined = isStrided ? ops.transpose(ops.reshape(dx, parts), [0, 1, 3, 2, 4, 5]) : dx;
  const whole = ops.reshape(joined, [batch, tall, wide, channels]);
  const isCut = tall !== height || wide !== width;
  const cut = isCut ? ops.slice(whole, { axes: [1, 2], starts: [0, 0], ends: [height, width] }) : whole;
  return [ops.transpose(cut, [0, 3, 1, 2])];
}

function phasesOfWindow(
  { kernel, strides, pads }: Window,
  lengths: readonly number[],
  places: readonly number[],
): readonly [AxisPhases, AxisPhases] | undefined {
  const [down, across] = [0, 1].map((axis) => {
    const sizes = { size: kernel[axis]!, stride: strides[axis]!, length: lengths[axis]!, places: places[axis]! };
    return phasesOf({ ...sizes, dilation: 1, before: pads[axis]! });
  });
  return down && across && [down, across];
}

/** Weights [outputs, inputs, ...kernel] as columns of phases: [places of a phase, outputs] x [phases, inputs]. */
function phaseKernels(
  ops: Ops,
  kernels: Codes,
  { kernel }: Window,
  [down, across]: readonly [AxisPhases, AxisPhases],
): Codes {
  const [outputs, inputs] = ops.shapeOf(kernels.codes) as [number, number];
  const taps = elementCount(kernel);
  const order: number[] = [];
  down.taps[0]!.forEach((_, row) => {
    across.taps[0]!.forEach((__, column) => {
      for (const rows of down.taps)
        for (const columns of across.taps) {
          const [r, c] = [rows[row], columns[column]];
          order.push(r === undefined || c === undefined ? taps : r * kernel[1] + c);
        }
    });
  });
  const places = ops.transpose(ops.reshape(kernels.codes, [-1, taps]), [1, 0]);
  const none = () => ops.expand(kernels.zeroPoint, [1, outputs * inputs]);
  const all = order.includes(taps) ? ops.concat([places, none()], 0) : places;
  const phases = down.taps.length * across.taps.length;
  const chosen = ops.gather(all, ops.constant(int64(order)), 0);
  const count = order.length / phases;
  const columns = ops.transpose(ops.reshape(chosen, [count, phases, outputs, inputs]), [0, 2, 1, 3]);
  return { ...kernels, codes: ops.reshape(columns, [count * outputs, phases * inputs]) };
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
