/** Gradients of operators that move elements: each moves them back, and adds up those that were repeated. */
import {
  axisFromFront,
  fixedNumbers,
  type GradientContext,
  type GradientRule,
  mapAxis,
  type Ops,
} from "../../build/index.ts";
import type { Node, Value } from "../../program/index.ts";
import { elementCount, int64 } from "../../tensor/index.ts";

const transpose: GradientRule = ({ node, ops, dy }) => {
  const axes = ops.shapeOf(dy).map((_, axis) => axis);
  const permutation = node.ints("perm") ?? axes.toReversed();
  return [
    ops.transpose(
      dy,
      axes.map((axis) => permutation.indexOf(axis)),
    ),
  ];
};

const concat: GradientRule = ({ node, ops, dy }) => {
  const axis = axisFromFront(node.int("axis", 0), ops.rankOf(dy));
  const lengths = node.inputs.map((_, index) => ops.shapeOf(node.input(index))[axis]!);
  return ops.split(dy, axis, lengths);
};

const split: GradientRule = (context) => {
  const { node, ops } = context;
  const x = node.input(0);
  const shape = ops.shapeOf(x);
  const axis = axisFromFront(node.int("axis", 0), shape.length);
  const zeros = (length: number) => ops.full(shape.with(axis, length), 0, x.dtype);
  const parts = splitLengths(node, ops, shape[axis]!).map((length, index) => context.gradient(index) ?? zeros(length));
  return [ops.concat(parts, axis)];
};

/** Lengths of the parts; equal ones if nothing else is said, the last shorter where they do not come out even. */
function splitLengths(node: Node, ops: Ops, length: number): readonly number[] {
  const given = node.ints("split") ?? (node.inputs[1] && fixedNumbers(ops, node, 1, "split"));
  if (given) return given;
  const count = node.outputs.length;
  const part = Math.ceil(length / count);
  return Array.from({ length: count }, (_, index) => Math.min(part, length - index * part));
}

/** Puts the elements back where they came from, with zeros around and between them. */
const slice: GradientRule = ({ node, ops, dy }) => {
  const shape = ops.shapeOf(node.input(0));
  const counts = ops.shapeOf(dy);
  if (elementCount(counts) === 0) return [];
  const starts = fixedNumbers(ops, node, 1, "starts");
  const axes = node.inputs[3] ? fixedNumbers(ops, node, 3, "axes") : starts.map((_, axis) => axis);
  const steps = node.inputs[4] ? fixedNumbers(ops, node, 4, "steps") : starts.map(() => 1);
  const before = shape.map(() => 0);
  const strides = shape.map(() => 1);
  const reversed: number[] = [];
  axes.forEach((given, index) => {
    const axis = axisFromFront(given, shape.length);
    const [length, step] = [shape[axis]!, steps[index]!];
    const start = starts[index]! < 0 ? starts[index]! + length : starts[index]!;
    const first = Math.min(Math.max(start, 0), step < 0 ? length - 1 : length);
    strides[axis] = Math.abs(step);
    before[axis] = step < 0 ? first + (counts[axis]! - 1) * step : first;
    if (step < 0) reversed.push(axis);
  });
  const spread = spreadOut(ops, reverse(ops, dy, reversed), strides);
  const lengths = ops.shapeOf(spread);
  return [ops.pad(spread, [...before, ...shape.map((length, axis) => length - before[axis]! - lengths[axis]!)])];
};

function reverse(ops: Ops, x: Value, axes: readonly number[]): Value {
  if (axes.length === 0) return x;
  const shape = ops.shapeOf(x);
  return ops.slice(x, {
    axes,
    starts: axes.map(() => -1),
    ends: axes.map((axis) => -shape[axis]! - 1),
    steps: axes.map(() => -1),
  });
}

/** Puts stride - 1 zeros behind each element. */
function spreadOut(ops: Ops, x: Value, strides: readonly number[]): Value {
  if (strides.every((stride) => stride === 1)) return x;
  const shape = ops.shapeOf(x);
  const columns = ops.reshape(
    x,
    shape.flatMap((length, axis) => (strides[axis] === 1 ? [length] : [length, 1])),
  );
  const after = strides.flatMap((stride) => (stride === 1 ? [0] : [0, stride - 1]));
  const filled = ops.pad(columns, [...after.map(() => 0), ...after]);
  return ops.reshape(
    filled,
    shape.map((length, axis) => length * strides[axis]!),
  );
}

/** What was padded is cut off; what the padding copied from inside goes back there. */
const pad: GradientRule = (context) => {
  const { node, ops, dy } = context;
  const shape = ops.shapeOf(node.input(0));
  const pads = padsOf(context);
  const mode = node.string("mode", "constant");
  if (mode !== "constant") {
    const folded = shape.reduce((gradient, length, axis) => {
      const [before, after] = [pads[axis]!, pads[axis + shape.length]!];
      return before === 0 && after === 0 ? gradient : foldPadding(ops, gradient, axis, mode, { length, before, after });
    }, dy);
    return [folded];
  }
  const inside = ops.pad(
    dy,
    pads.map((length) => -length),
  );
  if (!context.needs(2)) return [inside];
  const total = (x: Value) => ops.reduceSum(x, { keepDims: false });
  return [inside, undefined, ops.reshape(ops.sub(total(dy), total(inside)), ops.shapeOf(node.input(2)))];
};

/** Beginnings of all axes, then ends. */
function padsOf({ node, ops }: GradientContext): readonly number[] {
  const rank = ops.rankOf(node.input(0));
  const given = node.ints("pads") ?? fixedNumbers(ops, node, 1, "pads");
  if (!node.inputs[3]) return given;
  const axes = fixedNumbers(ops, node, 3, "axes");
  const pads = new Array<number>(2 * rank).fill(0);
  axes.forEach((axis, index) => {
    const place = axisFromFront(axis, rank);
    pads[place] = given[index]!;
    pads[place + rank] = given[index + axes.length]!;
  });
  return pads;
}

interface AxisPadding {
  readonly length: number;
  readonly before: number;
  readonly after: number;
}

/** Adds what is outside along an axis to the elements inside that it was copied from. */
function foldPadding(ops: Ops, dy: Value, axis: number, mode: string, padding: AxisPadding): Value {
  const { length, before, after } = padding;
  const rank = ops.rankOf(dy);
  const along = (begin: number, end: number) =>
    Array.from({ length: 2 * rank }, (_, index) => (index === axis ? begin : index === axis + rank ? end : 0));
  const inside = ops.pad(dy, along(-before, -after));
  const outside = [
    ...Array.from({ length: Math.max(before, 0) }, (_, place) => place),
    ...Array.from({ length: Math.max(after, 0) }, (_, place) => before + length + place),
  ];
  if (outside.length === 0) return inside;
  const borders = [
    { start: 0, end: before },
    { start: before + length, end: before + length + after },
  ]
    .filter(({ start, end }) => end > start)
    .map(({ start, end }) => ops.slice(dy, { axes: [axis], starts: [start], ends: [end] }));
  const source = outside.map((place) => sourcePlace(place - before, mode, padding));
  const matrix = Array.from({ length }, (_, place) => source.map((from) => (from === place ? 1 : 0)));
  return ops.add(inside, mapAxis(ops, borders.length === 1 ? borders[0]! : ops.concat(borders, axis), axis, matrix));
}

/** The place inside that a place outside is a copy of. Negative pads cut first: what is copied lies in the rest. */
function sourcePlace(place: number, mode: string, { length, before, after }: AxisPadding): number {
  const first = Math.max(-before, 0);
  const last = length - 1 - Math.max(-after, 0);
  if (mode === "edge") return Math.min(Math.max(place, first), last);
  const modulo = (number: number, period: number) => ((number % period) + period) % period;
  if (mode === "wrap") return first + modulo(place - first, last - first + 1);
  if (first === last) return first;
  const period = 2 * (last - first);
  const position = modulo(place - first, period);
  return first + Math.min(position, period - position);
}

const expand: GradientRule = ({ node, ops, dy }) => [ops.sumTo(dy, ops.shapeOf(node.input(0)))];

/** Adds up the copies. */
const tile: GradientRule = ({ node, ops, dy }) => {
  const shape = ops.shapeOf(node.input(0));
  const repeats = ops.shapeOf(dy).map((length, axis) => length / shape[axis]!);
  const split = shape.flatMap((length, axis) => (repeats[axis] === 1 ? [length] : [repeats[axis]!, length]));
  // The copies of an axis stand before it.
  const axes = repeats.flatMap((repeat, axis) =>
    repeat === 1 ? [] : [axis + repeats.slice(0, axis).filter((other) => other !== 1).length],
  );
  if (axes.length === 0) return [dy];
  return [ops.reduceSum(ops.reshape(dy, split), { axes, keepDims: false })];
};

/** SpaceToDepth is the inverse for blocks that are taken depth first; columns first, the elements are moved one by one. */
const depthToSpace: GradientRule = ({ node, ops, dy }) => {
  const block = node.int("blocksize", 1);
  if (node.string("mode", "DCR") === "DCR") return [ops.emit("SpaceToDepth", [dy], { blocksize: block })];
  const shape = ops.shapeOf(node.input(0));
  const [batch, channels, height, width] = shape as [number, number, number, number];
  const blocks = ops.reshape(dy, [batch, channels / (block * block), height, block, width, block]);
  return [ops.reshape(ops.transpose(blocks, [0, 1, 3, 5, 2, 4]), shape)];
};

const spaceToDepth: GradientRule = ({ node, ops, dy }) => [
  ops.emit("DepthToSpace", [dy], { blocksize: node.int("blocksize", 1), mode: "DCR" }),
];

/** The same operator applied to the gradient: it keeps elements where they are, or swaps them. */
const same: GradientRule = ({ node, ops, dy }) => [
  ops.emit(node.operator, [dy, ...node.inputs.slice(1)], Object.fromEntries(node.attributes)),
];

/** Crops what was padded and pads what was cropped. */
const centerCropPad: GradientRule = ({ node, ops, dy }) => {
  const shape = ops.shapeOf(node.input(0));
  const axes = node.ints("axes");
  const lengths = axes ? axes.map((axis) => shape.at(axis)!) : shape;
  return [ops.emit("CenterCropPad", [dy, ops.constant(int64(lengths))], { axes })];
};

/** Operators that move elements. */
export const movement: Readonly<Record<string, GradientRule>> = {
  Transpose: transpose,
  Concat: concat,
  Split: split,
  Slice: slice,
  Pad: pad,
  Expand: expand,
  Tile: tile,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
  Trilu: same,
  ReverseSequence: same,
  CenterCropPad: centerCropPad,
};
