/** Sampling pictures at places given by numbers: GridSample and the grids of affine maps. */
import type { Node, Value } from "../../program/index.ts";
import { elementCount, int64, tensorOf } from "../../tensor/index.ts";
import { fixedNumbers } from "../fixed-numbers.ts";
import type { Ops } from "../ops.ts";
import type { Decomposition } from "./decomposition.ts";

/** The elements along one axis that a place is made of. Shapes: [batch, places, taps]. */
interface Taps {
  /** int64, inside the axis. */
  readonly elements: Value;
  readonly weights: Value;
  readonly count: number;
}

/**
 * Each place is a weighted mean of the elements around it: products of weights along the axes.
 *
 * Shapes: x [batch, channels, ...lengths], grid [batch, ...places, axes] -> [batch, channels, ...places]. The grid's coordinates
 * run from -1 to 1; the first belongs to the last axis.
 */
const gridSample: Decomposition = (node, ops) => {
  const [x, grid] = [node.input(0), node.input(1)];
  const [batch, channels, ...lengths] = ops.shapeOf(x) as [number, number, ...number[]];
  const places = ops.shapeOf(grid).slice(1, -1);
  const rank = lengths.length;
  const count = elementCount(places);
  const coordinates = ops.split(
    ops.reshape(grid, [batch, count, rank]),
    2,
    lengths.map(() => 1),
  );
  const taps = lengths.map((length, axis) => tapsAlong(node, ops, coordinates[rank - 1 - axis]!, length));
  // Axis by axis the taps get an axis of their own, so that sums and products are over all combinations.
  const spread = (value: Value, axis: number) =>
    ops.reshape(value, [batch, count, ...taps.map((tap, other) => (other === axis ? tap.count : 1))]);
  const size = elementCount(lengths);
  const first = Array.from({ length: batch }, (_, index) => index * size);
  const start = ops.constant(int64(first, [batch, 1, ...lengths.map(() => 1)]));
  const rows = taps.reduce((sum, { elements }, axis) => {
    const stride = ops.constant(int64([elementCount(lengths.slice(axis + 1))], []));
    return ops.add(sum, ops.mul(spread(elements, axis), stride));
  }, start);
  const weights = taps.map((tap, axis) => spread(tap.weights, axis)).reduce((a, b) => ops.mul(a, b));
  const all = taps.reduce((product, tap) => product * tap.count, 1);
  const table = ops.reshape(ops.transpose(ops.reshape(x, [batch, channels, size]), [0, 2, 1]), [
    batch * size,
    channels,
  ]);
  const elements = ops.gather(table, ops.reshape(rows, [batch, count, all]));
  const means = ops.matMul(ops.reshape(weights, [batch, count, 1, all]), elements);
  return [
    ops.reshape(ops.transpose(ops.reshape(means, [batch, count, channels]), [0, 2, 1]), [batch, channels, ...places]),
  ];
};

function tapsAlong(node: Node, ops: Ops, coordinate: Value, length: number): Taps {
  const aligned = node.int("align_corners", 0) === 1;
  const position = aligned
    ? ops.mul(ops.add(coordinate, 1), (length - 1) / 2)
    : ops.sub(ops.mul(ops.add(coordinate, 1), length / 2), 0.5);
  const mode = node.string("mode", "linear");
  if (mode === "nearest") return padded(node, ops, ops.round(position), undefined, length);
  const whole = ops.floor(position);
  const rest = ops.sub(position, whole);
  const cubic = mode.endsWith("cubic");
  const offsets = cubic ? [-1, 0, 1, 2] : [0, 1];
  const shifts = ops.constant(tensorOf(coordinate.dtype!, [offsets.length], offsets));
  const weights = cubic ? cubicWeights(ops, rest) : [ops.sub(1, rest), rest];
  return padded(node, ops, ops.add(whole, shifts), ops.concat(weights, 2), length);
}

/** Keys' cubic convolution kernel with a = -0.75, at distances 1 + t, t, 1 - t and 2 - t. */
function cubicWeights(ops: Ops, t: Value): Value[] {
  const a = -0.75;
  const near = (d: Value) => ops.add(ops.mul(ops.sub(ops.mul(d, a + 2), a + 3), ops.square(d)), 1);
  const far = (d: Value) => ops.sub(ops.mul(ops.add(ops.mul(ops.sub(ops.mul(d, a), 5 * a), d), 8 * a), d), 4 * a);
  const rest = ops.sub(1, t);
  return [far(ops.add(t, 1)), near(t), near(rest), far(ops.add(rest, 1))];
}

/** Brings elements outside the axis inside; padding with zeros takes their weights away. */
function padded(node: Node, ops: Ops, elements: Value, weights: Value | undefined, length: number): Taps {
  const count = ops.shapeOf(elements)[2]!;
  const padding = node.string("padding_mode", "zeros");
  const folded = padding === "reflection" ? reflected(node, ops, elements, length) : elements;
  const inside = ops.clip(folded, 0, length - 1);
  const one = weights ?? ops.full([1, 1, 1], 1, elements.dtype);
  const isInside = ops.and(ops.greaterOrEqual(elements, 0), ops.lessOrEqual(elements, length - 1));
  const kept = padding === "zeros" ? ops.mul(ops.cast(isInside, elements.dtype!), one) : one;
  return { elements: ops.cast(inside, "int64"), weights: ops.expand(kept, ops.shapeOf(elements)), count };
}

/** Folds the axis at its ends: at the centres of the last elements if corners are aligned, else at their borders. */
function reflected(node: Node, ops: Ops, elements: Value, length: number): Value {
  const [low, range] = node.int("align_corners", 0) === 1 ? [0, length - 1] : [-0.5, length];
  if (range === 0) return elements;
  const distance = ops.sub(elements, low);
  const turns = ops.floor(ops.div(distance, 2 * range));
  const rest = ops.sub(distance, ops.mul(turns, 2 * range));
  return ops.add(ops.min(rest, ops.sub(2 * range, rest)), low);
}

/** Affine maps of a fixed grid. Shapes: theta [batch, axes, axes + 1] -> [batch, ...places, axes]. */
const affineGrid: Decomposition = (node, ops) => {
  const theta = node.input(0);
  const size = fixedNumbers(ops, node, 1, "size");
  const lengths = size.slice(2);
  const aligned = node.int("align_corners", 0) === 1;
  const coordinate = (place: number, length: number) =>
    aligned ? (length === 1 ? -1 : -1 + (2 * place) / (length - 1)) : (2 * place + 1) / length - 1;
  const count = elementCount(lengths);
  const numbers = Array.from({ length: count }, (_, index) => {
    const places = lengths.map((length, axis) => Math.floor(index / elementCount(lengths.slice(axis + 1))) % length);
    return [...places.map((place, axis) => coordinate(place, lengths[axis]!)).reverse(), 1];
  });
  const base = ops.constant(tensorOf(theta.dtype!, [count, lengths.length + 1], numbers.flat()));
  return [ops.reshape(ops.matMul(base, ops.transposeLast(theta)), [size[0]!, ...lengths, lengths.length])];
};

/** Sampling by coordinates. */
export const gridSamples: Readonly<Record<string, Decomposition>> = { GridSample: gridSample, AffineGrid: affineGrid };
