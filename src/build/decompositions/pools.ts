/** Pools as convolutions, reductions and scatters. */
import { UnsupportedError } from "../../errors.ts";
import type { Node, Value } from "../../program/index.ts";
import { elementCount, tensorOf } from "../../tensor/index.ts";
import { fixedNumbers } from "../fixed-numbers.ts";
import type { Ops } from "../ops.ts";
import type { Decomposition } from "./decomposition.ts";

/** A pool's window over known lengths. */
export interface PoolWindow {
  readonly lengths: readonly number[];
  readonly places: readonly number[];
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Padding at the beginning of each axis. */
  readonly before: readonly number[];
  /** Padding at the end of each axis, as far as windows reach; negative where they leave elements out. */
  readonly after: readonly number[];
  /** Padding at the end of each axis that counts as part of the picture. */
  readonly end: readonly number[];
}

/** Reads the window of a pool, or of a pool's gradient, given the spatial lengths of its input and its output. */
export function poolWindow(node: Node, lengths: readonly number[], places: readonly number[]): PoolWindow {
  const kernel = node.ints("kernel_shape") ?? [];
  const strides = node.ints("strides") ?? kernel.map(() => 1);
  const dilations = node.ints("dilations") ?? kernel.map(() => 1);
  const span = kernel.map((length, axis) => (places[axis]! - 1) * strides[axis]! + (length - 1) * dilations[axis]! + 1);
  const mode = node.string("auto_pad", "NOTSET");
  const total = span.map((length, axis) => Math.max(0, length - lengths[axis]!));
  const pads = node.ints("pads") ?? kernel.flatMap(() => [0, 0]);
  const padding = kernel.map((_, axis): readonly [number, number] => {
    const [less, more] = [Math.floor(total[axis]! / 2), Math.ceil(total[axis]! / 2)];
    if (mode === "SAME_UPPER") return [less, more];
    if (mode === "SAME_LOWER") return [more, less];
    return mode === "VALID" ? [0, 0] : [pads[axis]!, pads[axis + kernel.length]!];
  });
  const before = padding.map(([begin]) => begin);
  const after = span.map((length, axis) => length - lengths[axis]! - before[axis]!);
  return { lengths, places, kernel, strides, dilations, before, after, end: padding.map(([, end]) => end) };
}

function windowOf(node: Node, ops: Ops): PoolWindow {
  return poolWindow(node, ops.shapeOf(node.input(0)).slice(2), ops.shapeOf(node.output()).slice(2));
}

/** The sum over each window, all channels alike. Shapes: x [batch, channels, ...lengths] -> [batch, channels, ...places]. */
function sumOverWindows(ops: Ops, x: Value, window: PoolWindow): Value {
  const { lengths, places, kernel, strides, dilations, before, after } = window;
  const outer = ops.shapeOf(x).slice(0, 2);
  const axes = kernel.map((_, axis) => axis + 2);
  const tiles = kernel.every((length, axis) => length === strides[axis] && dilations[axis] === 1);
  if (tiles && before.every((pad) => pad === 0) && after.every((pad) => pad <= 0)) {
    const ends = places.map((count, axis) => count * kernel[axis]!);
    const whole = after.every((pad) => pad === 0) ? x : ops.slice(x, { axes, starts: axes.map(() => 0), ends });
    const blocks = ops.reshape(whole, [...outer, ...places.flatMap((count, axis) => [count, kernel[axis]!])]);
    return ops.reduceSum(blocks, { axes: kernel.map((_, axis) => 2 * axis + 3), keepDims: false });
  }
  const planes = ops.reshape(x, [elementCount(outer), 1, ...lengths]);
  // A sum is a convolution with ones; the last windows may reach beyond the padding that is given.
  const pads = [...before, ...after.map((pad) => Math.max(pad, 0))];
  const ones = ops.full([1, 1, ...kernel], 1, x.dtype);
  return ops.reshape(ops.conv(planes, ones, undefined, { strides, dilations, pads }), [...outer, ...places]);
}

/** How many elements each window averages: those of the input, with padding if that counts. */
function countsOf(node: Node, { lengths, places, kernel, strides, dilations, before, end }: PoolWindow): number[][] {
  const padded = node.int("count_include_pad", 0) === 1;
  return places.map((count, axis) => {
    const [low, high] = padded ? [-before[axis]!, lengths[axis]! + end[axis]!] : [0, lengths[axis]!];
    return Array.from({ length: count }, (_, place) => {
      const first = place * strides[axis]! - before[axis]!;
      const positions = Array.from({ length: kernel[axis]! }, (_, offset) => first + offset * dilations[axis]!);
      return positions.filter((position) => position >= low && position < high).length;
    });
  });
}

const averagePool: Decomposition = (node, ops) => {
  const x = node.input(0);
  const window = windowOf(node, ops);
  const sum = sumOverWindows(ops, x, window);
  const counts = countsOf(node, window).map((axis) => axis.map((count) => 1 / count));
  const weights = counts.reduce<number[]>((outer, axis) => outer.flatMap((a) => axis.map((b) => a * b)), [1]);
  const isUniform = weights.every((weight) => weight === weights[0]);
  const factor = isUniform
    ? ops.scalar(weights[0]!, x.dtype)
    : ops.constant(tensorOf(x.dtype!, window.places, weights));
  return [ops.mul(sum, factor)];
};

/** (sum of |x|^p)^(1/p) over each window. */
const lpPool: Decomposition = (node, ops) => {
  const p = node.int("p", 2);
  return [root(ops, sumOverWindows(ops, power(ops, node.input(0), p), windowOf(node, ops)), p)];
};

const globalLpPool: Decomposition = (node, ops) => {
  const p = node.int("p", 2);
  return [root(ops, ops.reduceSum(power(ops, node.input(0), p), { axes: spatialAxes(node, ops) }), p)];
};

/** |x|^p */
function power(ops: Ops, x: Value, p: number): Value {
  if (p === 1) return ops.abs(x);
  return p === 2 ? ops.square(x) : ops.pow(ops.abs(x), p);
}

/** x^(1/p), whose slope at 0 is infinite: there the gradient is zero, as that of |x|. */
function root(ops: Ops, x: Value, p: number): Value {
  if (p === 1) return x;
  const zero = ops.cast(ops.equal(x, 0), x.dtype!);
  const positive = ops.add(x, zero);
  return ops.sub(p === 2 ? ops.sqrt(positive) : ops.pow(positive, 1 / p), zero);
}

function spatialAxes(node: Node, ops: Ops): number[] {
  return ops
    .shapeOf(node.input(0))
    .slice(2)
    .map((_, axis) => axis + 2);
}

const globalAveragePool: Decomposition = (node, ops) => [
  ops.reduceMean(node.input(0), { axes: spatialAxes(node, ops) }),
];

const globalMaxPool: Decomposition = (node, ops) => [ops.reduceMax(node.input(0), { axes: spatialAxes(node, ops) })];

/** Puts each element at its place in a tensor of zeros; places count over all axes. */
const maxUnpool: Decomposition = (node, ops) => {
  const [x, indices] = [node.input(0), node.input(1)];
  const shape = ops.shapeOf(node.output());
  const flat = (value: Value) => ops.reshape(value, [-1]);
  const zeros = ops.full([elementCount(shape)], 0, x.dtype);
  return [ops.reshape(ops.emit("ScatterElements", [zeros, flat(indices), flat(x)], { axis: 0 }), shape)];
};

/** Adds blocks up in the picture they were cut from: the transpose of a convolution with one kernel per place in the block. */
const col2im: Decomposition = (node, ops) => {
  const columns = node.input(0);
  const image = fixedNumbers(ops, node, 1, "image_shape");
  const block = fixedNumbers(ops, node, 2, "block_shape");
  const [batch, channels] = ops.shapeOf(node.output()) as [number, number];
  const strides = node.ints("strides") ?? block.map(() => 1);
  const dilations = node.ints("dilations") ?? block.map(() => 1);
  const pads = node.ints("pads") ?? block.flatMap(() => [0, 0]);
  const places = image.map((length, axis) => {
    const room = length + pads[axis]! + pads[axis + block.length]! - (block[axis]! - 1) * dilations[axis]! - 1;
    return Math.floor(room / strides[axis]!) + 1;
  });
  const size = elementCount(block);
  if (elementCount(places) !== ops.shapeOf(columns)[2]) {
    throw new UnsupportedError(
      `${node.label}: there must be one block per place, got ${ops.shapeOf(columns)[2]} for ${elementCount(places)} places.`,
    );
  }
  const identity = Array.from({ length: size * size }, (_, index) => (index % (size + 1) === 0 ? 1 : 0));
  const kernels = ops.constant(tensorOf(columns.dtype!, [size, 1, ...block], identity));
  const planes = ops.emit(
    "ConvInputGradient",
    [ops.reshape(columns, [batch * channels, size, ...places]), kernels],
    { strides, dilations, pads, input_shape: [batch * channels, 1, ...image] },
    { domain: "modicum" },
  );
  return [ops.reshape(planes, ops.shapeOf(node.output()))];
};

/** Pools, and what puts blocks and pools back into a picture. */
export const pools: Readonly<Record<string, Decomposition>> = {
  AveragePool: averagePool,
  LpPool: lpPool,
  GlobalAveragePool: globalAveragePool,
  GlobalMaxPool: globalMaxPool,
  GlobalLpPool: globalLpPool,
  MaxUnpool: maxUnpool,
  Col2Im: col2im,
};
