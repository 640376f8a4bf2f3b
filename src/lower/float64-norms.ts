/** Normalizations in float64: ONNX Runtime has no kernels for some, and computes the statistics of others in float32. */
import type { Ops } from "../build/index.ts";
import type { Node, Value } from "../program/index.ts";
import { elementCount } from "../tensor/index.ts";
import type { Lowering } from "./lowering.ts";

/** ONNX's default. */
const EPSILON = 1e-5;

interface Normalized {
  readonly n: Value;
  readonly mean: Value;
  readonly r: Value;
}

/** n = (x - mean) r, r = 1 / sqrt(mean of (x - mean)^2 + epsilon); without centering nothing is subtracted. */
function normalize(ops: Ops, x: Value, axes: readonly number[], epsilon: number, centered = true): Normalized {
  const mean = ops.reduceMean(x, { axes });
  const middle = centered ? ops.sub(x, mean) : x;
  const variance = ops.reduceMean(ops.square(middle), { axes });
  const r = ops.reciprocal(ops.sqrt(ops.add(variance, epsilon)));
  return { n: ops.mul(middle, r), mean, r };
}

/** Axes from `first`, which may count from the end, to the last. */
function axesFrom(ops: Ops, x: Value, first: number): number[] {
  const rank = ops.rankOf(x);
  const start = first < 0 ? first + rank : first;
  return Array.from({ length: rank - start }, (_, index) => start + index);
}

/** y = n scale + shift. Outputs: y, mean, r; without centering y, r. Statistics have the type the node says. */
function layer(centered: boolean): Lowering {
  return (node, ops) => {
    const x = node.input(0);
    const axes = axesFrom(ops, x, node.int("axis", -1));
    const { n, mean, r } = normalize(ops, x, axes, node.float("epsilon", EPSILON), centered);
    const scaled = ops.mul(n, node.input(1));
    const y = node.inputs[2] ? ops.add(scaled, node.inputs[2]) : scaled;
    const statistics = centered ? [mean, r] : [r];
    return [y, ...statistics.map((value, index) => ops.cast(value, node.outputs[index + 1]?.dtype ?? "float64"))];
  };
}

/** y = n scale + shift with one scale and shift per channel, axis 1; x is normalized over all but the first two axes of `shape`. */
function perChannel(shapeOf: (node: Node, shape: readonly number[]) => readonly number[]): Lowering {
  return (node, ops) => {
    const shape = ops.shapeOf(node.input(0));
    const grouped = ops.reshape(node.input(0), shapeOf(node, shape));
    const { n } = normalize(ops, grouped, axesFrom(ops, grouped, 2), node.float("epsilon", EPSILON));
    const spread = (value: Value) => ops.reshape(value, [-1, ...shape.slice(2).map(() => 1)]);
    const scaled = ops.mul(ops.reshape(n, shape), spread(node.input(1)));
    return [ops.add(scaled, spread(node.input(2)))];
  };
}

const instance = perChannel((_node, shape) => shape);

const group = perChannel((node, shape) => {
  const groups = node.int("num_groups", 1);
  return [shape[0]!, groups, elementCount(shape.slice(1)) / groups];
});

/** (x - mean) / (deviation + 1e-9) */
const meanVariance: Lowering = (node, ops) => {
  const x = node.input(0);
  const axes = node.ints("axes") ?? [0, 2, 3];
  const centered = ops.sub(x, ops.reduceMean(x, { axes }));
  const deviation = ops.sqrt(ops.reduceMean(ops.square(centered), { axes }));
  return [ops.div(centered, ops.add(deviation, 1e-9))];
};

/** s = input + skip + bias; y = n scale + shift over the last axis of s. Outputs: y, mean, r, s. */
function skipLayer(simplified: boolean): Lowering {
  return (node, ops) => {
    const shift = simplified ? undefined : node.inputs[3];
    const bias = node.inputs[simplified ? 3 : 4];
    const sum = ops.add(node.input(0), node.input(1));
    const x = bias ? ops.add(sum, bias) : sum;
    const { n, mean, r } = normalize(ops, x, [ops.rankOf(x) - 1], node.float("epsilon", 1e-12), !simplified);
    const scaled = ops.mul(n, node.input(2));
    const statistics = [mean, r].map((value) => ops.cast(value, "float32"));
    return [shift ? ops.add(scaled, shift) : scaled, ...statistics, x].slice(0, node.outputs.length);
  };
}

export const float64Norms: Readonly<Record<string, Lowering>> = {
  LayerNormalization: layer(true),
  SimplifiedLayerNormalization: layer(false),
  RMSNormalization: layer(false),
  InstanceNormalization: instance,
  GroupNormalization: group,
  MeanVarianceNormalization: meanVariance,
  "com.microsoft:SkipLayerNormalization": skipLayer(false),
  "com.microsoft:SkipSimplifiedLayerNormalization": skipLayer(true),
};
