/** Gradients of operators that address elements by index: gathering and scattering are each other's gradient. */
import { axisFromFront, type GradientContext, type GradientRule, type Ops } from "../../build/index.ts";
import { UnsupportedError } from "../../errors.ts";
import type { Node, Value } from "../../program/index.ts";
import { elementCount, int64, tensorOf } from "../../tensor/index.ts";

const gather: GradientRule = ({ node, ops, dy }) => {
  const [data, indices] = [node.input(0), node.input(1)];
  const axis = axisFromFront(node.int("axis", 0), ops.rankOf(data));
  return [scatterAlong(ops, ops.shapeOf(data), axis, indices, dy)];
};

/**
 * Adds parts up in a tensor of zeros, at indices along an axis.
 *
 * Shapes: updates [...before, ...indices, ...after] -> [...before, length, ...after].
 */
function scatterAlong(ops: Ops, shape: readonly number[], axis: number, indices: Value, updates: Value): Value {
  const places = ops.numbersOf(indices);
  if (places?.length === 1) {
    const before = axisFromFront(places[0]!, shape[axis]!);
    const pads = new Array<number>(2 * shape.length).fill(0);
    pads[axis] = before;
    pads[axis + shape.length] = shape[axis]! - before - 1;
    return ops.pad(ops.reshape(updates, shape.with(axis, 1)), pads);
  }
  // Whole rows are added at once, so the axis has to be the first one.
  const rank = ops.rankOf(indices);
  const front = (count: number, total: number) => {
    const axes = Array.from({ length: total }, (_, index) => index);
    return [...axes.slice(axis, axis + count), ...axes.slice(0, axis), ...axes.slice(axis + count)];
  };
  const order = front(1, shape.length);
  const rows = axis === 0 ? updates : ops.transpose(updates, front(rank, ops.rankOf(updates)));
  const zeros = ops.full(
    order.map((index) => shape[index]!),
    0,
    updates.dtype,
  );
  const sum = ops.scatterNDAdd(zeros, ops.unsqueeze(ops.cast(indices, "int64"), [-1]), rows);
  return axis === 0
    ? sum
    : ops.transpose(
        sum,
        order.map((_, index) => order.indexOf(index)),
      );
}

const gatherElements: GradientRule = ({ node, ops, dy }) => {
  const shape = ops.shapeOf(node.input(0));
  return [ops.scatterAdd(ops.full(shape, 0, dy.dtype), node.input(1), dy, node.int("axis", 0))];
};

const gatherND: GradientRule = ({ node, ops, dy }) => {
  const zeros = ops.full(ops.shapeOf(node.input(0)), 0, dy.dtype);
  return [ops.scatterNDAdd(zeros, withBatchIndices(node, ops), dy)];
};

/** ScatterND has no batch axes: their places become part of each index. */
function withBatchIndices(node: Node, ops: Ops): Value {
  const indices = node.input(1);
  const batchAxes = node.int("batch_dims", 0);
  if (batchAxes === 0) return indices;
  const places = ops.shapeOf(indices).slice(0, -1);
  const inner = elementCount(places.slice(batchAxes));
  const lengths = places.slice(0, batchAxes);
  const numbers = Array.from({ length: elementCount(lengths) }, (_, position) => {
    const index = lengths.map((length, axis) => Math.floor(position / elementCount(lengths.slice(axis + 1))) % length);
    return new Array<number[]>(inner).fill(index).flat();
  }).flat();
  return ops.concat([ops.constant(int64(numbers, [...places, batchAxes])), indices], -1);
}

/** How a scattering operator reads and writes at its indices. */
interface Addressing {
  take(ops: Ops, node: Node, from: Value): Value;
  put(ops: Ops, node: Node, into: Value, updates: Value, reduction: "none" | "add"): Value;
}

const byElement: Addressing = {
  take: (ops, node, from) => ops.gatherElements(from, node.input(1), node.int("axis", 0)),
  put: (ops, node, into, updates, reduction) =>
    ops.emit("ScatterElements", [into, node.input(1), updates], { axis: node.int("axis", 0), reduction }),
};

const byCoordinates: Addressing = {
  take: (ops, node, from) => ops.gatherND(from, node.input(1)),
  put: (ops, node, into, updates, reduction) => ops.emit("ScatterND", [into, node.input(1), updates], { reduction }),
};

function scatter(addressing: Addressing): GradientRule {
  return (context) => {
    const { node, ops, dy } = context;
    const updates = node.input(2);
    const reduction = node.string("reduction", "none");
    const take = (from: Value) => addressing.take(ops, node, from);
    switch (reduction) {
      case "none": {
        const none = () => ops.full(ops.shapeOf(updates), 0, dy.dtype);
        return [
          context.needs(0) ? addressing.put(ops, node, dy, none(), "none") : undefined,
          undefined,
          context.needs(2) ? take(dy) : undefined,
        ];
      }
      case "add":
        return [dy, undefined, context.needs(2) ? take(dy) : undefined];
      case "max":
      case "min":
        return scatterExtreme(context, addressing);
      default:
        throw new UnsupportedError(
          `${node.label}: a scatter must replace, add, or take the maximum or minimum to have a gradient, got ` +
            `reduction "${reduction}". Write the product with Mul.`,
        );
    }
  };
}

/** The largest of several numbers that meet in one place gets the gradient; equal ones share it. */
function scatterExtreme({ node, ops, dy }: GradientContext, addressing: Addressing): readonly (Value | undefined)[] {
  const [data, updates, y] = [node.input(0), node.input(2), node.output()];
  const chosen = ops.cast(ops.equal(data, y), dy.dtype!);
  const chosenUpdates = ops.cast(ops.equal(updates, addressing.take(ops, node, y)), dy.dtype!);
  const share = ops.div(dy, addressing.put(ops, node, chosen, chosenUpdates, "add"));
  return [ops.mul(share, chosen), undefined, ops.mul(addressing.take(ops, node, share), chosenUpdates)];
}

/** The elements taken go back to where a constant condition found them. */
const compress: GradientRule = ({ node, ops, dy }) => {
  const shape = ops.shapeOf(node.input(0));
  const condition = ops.numbersOf(node.input(1));
  if (!condition) {
    throw new UnsupportedError(
      `${node.label}: the condition must be a constant to have a gradient, got one that is computed. ` +
        "Its result's shape is known only when it runs; multiply with a mask instead.",
    );
  }
  const given = node.int("axis");
  const [lengths, axis] =
    given === undefined ? [[elementCount(shape)], 0] : [shape, axisFromFront(given, shape.length)];
  const chosen = condition.flatMap((element, index) => (element === 0 ? [] : [index]));
  if (chosen.length === 0) return [];
  return [ops.reshape(scatterAlong(ops, lengths, axis, ops.constant(int64(chosen)), dy), shape)];
};

/** y = off + (on - off) mask: the gradient with respect to the two values. */
const oneHot: GradientRule = ({ node, ops, dy }) => {
  const marks = ops.constant(tensorOf(dy.dtype!, [2], [0, 1]));
  const mask = ops.emit("OneHot", [node.input(0), node.input(1), marks], { axis: node.int("axis", -1) });
  const total = (x: Value) => ops.reshape(ops.reduceSum(x), [1]);
  const on = total(ops.mul(dy, mask));
  return [undefined, undefined, ops.concat([ops.sub(total(dy), on), on], 0)];
};

/** The largest elements' gradients go back to their places. */
const topK: GradientRule = ({ node, ops, dy }) => {
  const x = node.input(0);
  const indices = node.outputs[1] ?? ops.emitAll("TopK", node.inputs, 2, Object.fromEntries(node.attributes))[1]!;
  return [ops.scatterAdd(ops.full(ops.shapeOf(x), 0, dy.dtype), indices, dy, node.int("axis", -1))];
};

/** Operators that address elements by index. */
export const indexing: Readonly<Record<string, GradientRule>> = {
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherND,
  ScatterElements: scatter(byElement),
  ScatterND: scatter(byCoordinates),
  Compress: compress,
  OneHot: oneHot,
  TopK: topK,
};
