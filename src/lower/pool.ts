/** The gradient of MaxPool as ONNX operators. */
import { type Ops, poolWindow } from "../build/index.ts";
import type { Value } from "../program/index.ts";
import { elementCount, tensorOf } from "../tensor/index.ts";
import type { Lowering } from "./lowering.ts";

/** Below every number that is pooled, and finite: a product with 0 must be 0. */
const LOWEST = -3.4e38;

/** Adds each window's gradient at the place of its first largest element, which MaxPool tells. */
const byPlaces: Lowering = (node, ops) => {
  const [dy, x] = [node.input(0), node.input(1)];
  const shape = ops.shapeOf(x);
  const places = ops.emitAll("MaxPool", [x], 2, Object.fromEntries(node.attributes))[1]!;
  const flat = (value: Value) => ops.reshape(value, [-1]);
  const zeros = ops.full([elementCount(shape)], 0, dy.dtype);
  return [ops.reshape(ops.scatterAdd(zeros, flat(places), flat(dy), 0), shape)];
};

/**
 * Compares each window's elements with its maximum, for devices whose MaxPool tells no places (WebGPU). A convolution with one
 * kernel per place in the window, a one among zeros, takes the elements out; its transpose puts the gradients back.
 */
const byPatches: Lowering = (node, ops) => {
  const [dy, x, y] = [node.input(0), node.input(1), node.input(2)];
  const shape = ops.shapeOf(x);
  const planes = elementCount(shape.slice(0, 2));
  const [lengths, places] = [shape.slice(2), ops.shapeOf(y).slice(2)];
  const { kernel, strides, dilations, before, after } = poolWindow(node, lengths, places);
  const flat = (value: Value) => ops.reshape(value, [planes, 1, ...ops.shapeOf(value).slice(2)]);
  const padded = ops.pad(flat(x), [0, 0, ...before, 0, 0, ...after], LOWEST);
  const kernels = oneHotKernels(ops, kernel, x);
  const patches = ops.conv(padded, kernels, undefined, { strides, dilations });
  const largest = ops.cast(ops.equal(patches, flat(y)), dy.dtype!);
  const earlier = ops.emit("CumSum", [largest, ops.constant(tensorOf("int64", [], [1]))], { exclusive: 1 });
  const first = ops.mul(largest, ops.cast(ops.equal(earlier, 0), dy.dtype!));
  const spread = ops.emit("ConvTranspose", [ops.mul(first, flat(dy)), kernels], { strides, dilations });
  const back = ops.pad(spread, [0, 0, ...before.map((pad) => -pad), 0, 0, ...after.map((pad) => -pad)]);
  return [ops.reshape(back, shape)];
};

/** One kernel per place in the window. Shape: [places, 1, ...kernel]. */
function oneHotKernels(ops: Ops, kernel: readonly number[], like: Value): Value {
  const size = elementCount(kernel);
  const numbers = Array.from({ length: size * size }, (_, index) => (index % (size + 1) === 0 ? 1 : 0));
  return ops.constant(tensorOf(like.dtype!, [size, 1, ...kernel], numbers));
}

const maxPoolGradient: Lowering = (node, ops, target) =>
  (target.device === "webgpu" ? byPatches : byPlaces)(node, ops, target);

export const pool: Readonly<Record<string, Lowering>> = { "modicum:MaxPoolGradient": maxPoolGradient };
