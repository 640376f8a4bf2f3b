/** Convolutions in float64, for which ONNX Runtime has no kernels: slices of the padded input, one per window offset. */
import type { Ops } from "../build/index.ts";
import type { Node, Value } from "../program/index.ts";
import { elementCount } from "../tensor/index.ts";
import type { Lowering } from "./lowering.ts";

/** A window over known lengths. Shapes: x [batch, channels, ...lengths] -> y [batch, channels, ...places]. */
interface Window {
  readonly lengths: readonly number[];
  readonly places: readonly number[];
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Padding before the first element of each axis. */
  readonly before: readonly number[];
}

function windowOf(node: Node, ops: Ops, kernel: readonly number[]): Window {
  const lengths = ops.shapeOf(node.input(0)).slice(2);
  const places = ops.shapeOf(node.output()).slice(2);
  const strides = node.ints("strides") ?? kernel.map(() => 1);
  const dilations = node.ints("dilations") ?? kernel.map(() => 1);
  const covered = kernel.map(
    (length, axis) => (places[axis]! - 1) * strides[axis]! + (length - 1) * dilations[axis]! + 1,
  );
  const total = covered.map((length, axis) => Math.max(0, length - lengths[axis]!));
  return { lengths, places, kernel, strides, dilations, before: padsBefore(node, total, "SAME_LOWER") };
}

/** Padding at the beginning of each axis, given how much there is on both sides; an odd rest goes there for `larger`. */
function padsBefore(node: Node, total: readonly number[], larger: "SAME_LOWER" | "NOTSET"): readonly number[] {
  const mode = node.string("auto_pad", "NOTSET");
  if (mode === "VALID") return total.map(() => 0);
  const pads = node.ints("pads") ?? total.map(() => 0);
  const explicit = mode === "NOTSET" && !node.ints("output_shape");
  if (explicit) return pads.slice(0, total.length);
  const up = mode === "SAME_LOWER" || larger === mode;
  return total.map((pad) => (up ? Math.ceil(pad / 2) : Math.floor(pad / 2)));
}

/** Returns, for each offset in the window (last axis fastest), the elements it meets at all places. */
function slices(ops: Ops, x: Value, window: Window): Value[] {
  const { lengths, places, kernel, strides, dilations, before } = window;
  const after = lengths.map(
    (length, axis) =>
      (places[axis]! - 1) * strides[axis]! + (kernel[axis]! - 1) * dilations[axis]! + 1 - length - before[axis]!,
  );
  const padded = ops.pad(x, [0, 0, ...before, 0, 0, ...after]);
  return offsetsOf(kernel).map((offset) => {
    const starts = offset.map((position, axis) => position * dilations[axis]!);
    const ends = starts.map((start, axis) => start + (places[axis]! - 1) * strides[axis]! + 1);
    return ops.slice(padded, { axes: kernel.map((_, axis) => axis + 2), starts, ends, steps: strides });
  });
}

function offsetsOf(kernel: readonly number[]): number[][] {
  return kernel.reduce<number[][]>(
    (offsets, length) => offsets.flatMap((offset) => Array.from({ length }, (_, position) => [...offset, position])),
    [[]],
  );
}

/** Products of weights with patches. Shapes: w [out, channels / group, ...kernel] -> y [batch, out, ...places]. */
function convolve(ops: Ops, x: Value, w: Value, group: number, window: Window): Value {
  const [batch, channels] = ops.shapeOf(x) as [number, number];
  const out = ops.shapeOf(w)[0]!;
  const taps = elementCount(window.kernel);
  const patches = ops.concat(
    slices(ops, x, window).map((slice) => ops.unsqueeze(slice, [2])),
    2,
  );
  const columns = ops.reshape(patches, [batch, group, (channels / group) * taps, elementCount(window.places)]);
  const rows = ops.reshape(w, [1, group, out / group, (channels / group) * taps]);
  return ops.reshape(ops.matMul(rows, columns), [batch, out, ...window.places]);
}

function addBias(node: Node, ops: Ops, y: Value): Value {
  const bias = node.inputs[2];
  return bias
    ? ops.add(
        y,
        ops.reshape(bias, [
          -1,
          ...ops
            .shapeOf(y)
            .slice(2)
            .map(() => 1),
        ]),
      )
    : y;
}

const conv: Lowering = (node, ops) => {
  const [x, w] = [node.input(0), node.input(1)];
  const window = windowOf(node, ops, ops.shapeOf(w).slice(2));
  return [addBias(node, ops, convolve(ops, x, w, node.int("group", 1), window))];
};

/** A convolution of x, spread by its strides, with the kernel turned round. Shapes: w [channels, out / group, ...kernel]. */
const convTranspose: Lowering = (node, ops) => {
  const [x, w] = [node.input(0), node.input(1)];
  const group = node.int("group", 1);
  const [channels, out, ...kernel] = ops.shapeOf(w) as [number, number, ...number[]];
  const lengths = ops.shapeOf(x).slice(2);
  const places = ops.shapeOf(node.output()).slice(2);
  const strides = node.ints("strides") ?? kernel.map(() => 1);
  const dilations = node.ints("dilations") ?? kernel.map(() => 1);
  const rest = node.ints("output_padding") ?? kernel.map(() => 0);
  const reach = kernel.map((length, axis) => (length - 1) * dilations[axis]!);
  const spreadLengths = lengths.map((length, axis) => (length - 1) * strides[axis]! + 1);
  const total = places.map((place, axis) => spreadLengths[axis]! + reach[axis]! + rest[axis]! - place);
  const before = padsBefore(node, total, "NOTSET").map((pad, axis) => reach[axis]! - pad);
  const axes = kernel.map((_, axis) => axis + 2);
  const turned = ops.slice(w, {
    axes,
    starts: kernel.map(() => -1),
    ends: kernel.map((length) => -length - 1),
    steps: kernel.map(() => -1),
  });
  const perGroup = ops.reshape(turned, [group, channels / group, out, ...kernel]);
  const swapped = ops.transpose(perGroup, [0, 2, 1, ...axes.map((axis) => axis + 1)]);
  const weights = ops.reshape(swapped, [group * out, channels / group, ...kernel]);
  const ones = kernel.map(() => 1);
  const window = { lengths: spreadLengths, places, kernel, strides: ones, dilations, before };
  return [addBias(node, ops, convolve(ops, spread(ops, x, strides), weights, group, window))];
};

/** Puts stride - 1 zeros between neighbours. */
function spread(ops: Ops, x: Value, strides: readonly number[]): Value {
  const [batch, channels, ...lengths] = ops.shapeOf(x) as [number, number, ...number[]];
  const columns = ops.reshape(x, [batch, channels, ...lengths.flatMap((length) => [length, 1])]);
  const none = [0, 0, ...lengths.flatMap(() => [0, 0])];
  const pads = [...none, 0, 0, ...strides.flatMap((stride) => [0, stride - 1])];
  const filled = ops.reshape(ops.pad(columns, pads), [
    batch,
    channels,
    ...lengths.map((length, axis) => length * strides[axis]!),
  ]);
  return ops.slice(filled, {
    axes: lengths.map((_, axis) => axis + 2),
    starts: lengths.map(() => 0),
    ends: lengths.map((length, axis) => (length - 1) * strides[axis]! + 1),
  });
}

export const float64Windows: Readonly<Record<string, Lowering>> = { Conv: conv, ConvTranspose: convTranspose };
