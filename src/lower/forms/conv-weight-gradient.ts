/** Forms of the gradient of a convolution's weights. */
import type { Ops } from "../../build/index.ts";
import type { Value } from "../../program/index.ts";
import { elementCount } from "../../tensor/index.ts";
import { conv } from "../conv.ts";
import type { Lowering } from "../lowering.ts";
import type { Alternatives } from "./form.ts";
import {
  convolutionShape,
  type GradientWindow,
  gradientWindow,
  inputsOf,
  offsetsOf,
  placesOf,
  samePadding,
} from "./window.ts";

/** What all forms start from; x and dy with channels first: [channels, examples, ...]. */
interface Parts {
  readonly x: Value;
  readonly dy: Value;
  readonly lengths: readonly number[];
  readonly places: readonly number[];
  readonly kernel: readonly number[];
  readonly window: GradientWindow;
}

/** A form that is one matrix product whose inner axis is all places of all examples. */
function product(write: (ops: Ops, parts: Parts) => Value | undefined): Lowering {
  return (node, ops) => {
    const kernel = node.ints("weight_shape")!.slice(2);
    const window = gradientWindow(node, kernel.length);
    if (window.group > 1) return undefined;
    const [lengths, places] = [0, 1].map((index) => ops.shapeOf(node.input(index)).slice(2)) as [number[], number[]];
    const front = [1, 0, ...kernel.map((_, axis) => axis + 2)];
    const [x, dy] = [ops.transpose(node.input(0), front), ops.transpose(node.input(1), front)];
    const dw = write(ops, { x, dy, lengths, places, kernel, window });
    return dw && [dw];
  };
}

/** dy times the patches of x that each place saw: [outputs, places] x [taps inputs, places]^T. */
const patches = product((ops, { x, dy, lengths, places, kernel, window }) => {
  const [inputs, outputs] = [ops.shapeOf(x)[0]!, ops.shapeOf(dy)[0]!];
  const { strides, dilations, before } = window;
  const after = lengths.map(
    (length, axis) =>
      (places[axis]! - 1) * strides[axis]! + (kernel[axis]! - 1) * dilations[axis]! + 1 - length - before[axis]!,
  );
  const padded = ops.pad(x, [0, 0, ...before, 0, 0, ...after]);
  const axes = kernel.map((_, axis) => axis + 2);
  const seen = offsetsOf(kernel).map((offset) => {
    const starts = offset.map((at, axis) => at * dilations[axis]!);
    const ends = starts.map((start, axis) => start + (places[axis]! - 1) * strides[axis]! + 1);
    return ops.slice(padded, { axes, starts, ends, steps: strides });
  });
  const all = seen.length === 1 ? seen[0]! : ops.concat(seen, 0);
  const sums = timesTransposed(ops, asRows(ops, dy), asRows(ops, all));
  const taps = elementCount(kernel);
  return ops.reshape(ops.transpose(ops.reshape(sums, [outputs, taps, inputs]), [0, 2, 1]), [
    outputs,
    inputs,
    ...kernel,
  ]);
});

/**
 * Copies of x moved along the last axis times copies of dy moved along the others: of k x k taps only 2 k copies are made, and the
 * product is closer to a square. Without strides only.
 */
const copies = product((ops, { x, dy, lengths, places, kernel, window }) => {
  const { strides, dilations, before } = window;
  const last = kernel.length - 1;
  if (strides.some((stride) => stride !== 1) || last === 0) return undefined;
  const [inputs, outputs] = [ops.shapeOf(x)[0]!, ops.shapeOf(dy)[0]!];
  const moved = (value: Value, begin: readonly number[], from: readonly number[], to: readonly number[]) => {
    const end = to.map((length, axis) => length - from[axis]! - begin[axis]!);
    return begin.every((pad) => pad === 0) && end.every((pad) => pad === 0)
      ? value
      : ops.pad(value, [0, 0, ...begin, 0, 0, ...end]);
  };
  // Both meet on x's lengths along the first axes and on dy's along the last.
  const common = lengths.map((length, axis) => (axis === last ? places[axis]! : length));
  const columns = Array.from({ length: kernel[last]! }, (_, tap) => {
    const begin = lengths.map((_length, axis) => (axis === last ? before[last]! - tap * dilations[last]! : 0));
    return moved(x, begin, lengths, common);
  });
  const rows = offsetsOf(kernel.slice(0, -1)).map((offset) => {
    const begin = places.map((_place, axis) => (axis === last ? 0 : offset[axis]! * dilations[axis]! - before[axis]!));
    return moved(dy, begin, places, common);
  });
  const join = (parts: readonly Value[]) => asRows(ops, parts.length === 1 ? parts[0]! : ops.concat(parts, 0));
  const sums = timesTransposed(ops, join(rows), join(columns));
  const view = ops.reshape(sums, [rows.length, outputs, columns.length, inputs]);
  return ops.reshape(ops.transpose(view, [1, 3, 0, 2]), [outputs, inputs, ...kernel]);
});

/** One filter per channel: for each tap the sum of a product. */
const taps: Lowering = (node, ops) => {
  const [x, dy] = [node.input(0), node.input(1)];
  const [outputs, perGroup, ...kernel] = node.ints("weight_shape") as [number, number, ...number[]];
  const window = gradientWindow(node, kernel.length);
  if (perGroup !== 1 || window.group !== outputs) return undefined;
  const { strides, dilations, before } = window;
  const [lengths, places] = [ops.shapeOf(x).slice(2), ops.shapeOf(dy).slice(2)];
  const after = lengths.map(
    (length, axis) =>
      (places[axis]! - 1) * strides[axis]! + (kernel[axis]! - 1) * dilations[axis]! + 1 - length - before[axis]!,
  );
  const padded = ops.pad(x, [0, 0, ...before, 0, 0, ...after]);
  const axes = kernel.map((_, axis) => axis + 2);
  const sums = offsetsOf(kernel).map((offset) => {
    const starts = offset.map((at, axis) => at * dilations[axis]!);
    const ends = starts.map((start, axis) => start + (places[axis]! - 1) * strides[axis]! + 1);
    const seen = ops.slice(padded, { axes, starts, ends, steps: strides });
    return ops.reshape(ops.reduceSum(ops.mul(seen, dy), { axes: [0, ...axes], keepDims: false }), [outputs, 1]);
  });
  return [ops.reshape(ops.concat(sums, 1), [outputs, 1, ...kernel])];
};

/** [channels, examples, ...] -> [channels, all the rest] */
function asRows(ops: Ops, value: Value): Value {
  const [channels, ...rest] = ops.shapeOf(value) as [number, ...number[]];
  return ops.reshape(value, [channels, elementCount(rest)]);
}

/** a b^T */
function timesTransposed(ops: Ops, a: Value, b: Value): Value {
  return ops.emit("Gemm", [a, b], { transB: 1 });
}

export const convWeightGradient: Alternatives = {
  operator: "modicum:ConvWeightGradient",
  forms: { copies, patches, taps, convolve: conv["modicum:ConvWeightGradient"]! },
  shapeOf: (node, ops) => convolutionShape(node, ops.shapeOf(node.input(0)), node.ints("weight_shape")!),
  write(ops, shape) {
    const { examples, inputs, outputs, lengths, kernel, group } = shape;
    const { x, dy } = inputsOf(ops, {
      x: [examples, inputs, ...lengths],
      dy: [examples, outputs, ...placesOf(shape)],
    });
    const attributes = { ...samePadding(shape), weight_shape: [outputs, inputs / group, ...kernel] };
    ops.writer.graph.outputs.push(ops.emit("ConvWeightGradient", [x, dy], attributes, { domain: "modicum" }));
  },
};
