/** The gradient of MaxPool as ONNX operators. */
import type { Value } from "../program/index.ts";
import { elementCount } from "../tensor/index.ts";
import type { Lowering } from "./lowering.ts";

/** Adds each window's gradient at the place of its first largest element, which MaxPool tells. */
const maxPoolGradient: Lowering = (node, ops) => {
  const [dy, x] = [node.input(0), node.input(1)];
  const shape = ops.shapeOf(x);
  const places = ops.emitAll("MaxPool", [x], 2, Object.fromEntries(node.attributes))[1]!;
  const flat = (value: Value) => ops.reshape(value, [-1]);
  const zeros = ops.full([elementCount(shape)], 0, dy.dtype);
  return [ops.reshape(ops.scatterAdd(zeros, flat(places), flat(dy), 0), shape)];
};

export const pool: Readonly<Record<string, Lowering>> = { "modicum:MaxPoolGradient": maxPoolGradient };
