/** Gradients of normalizations by the deviation. n is x normalized, r one over its deviation. */
import type { GradientContext, GradientRule, Ops } from "../../build/index.ts";
import type { Value } from "../../program/index.ts";
import { elementCount } from "../../tensor/index.ts";
import { unbroadcast } from "./arithmetic.ts";

/** ONNX's default. */
const EPSILON = 1e-5;

/** What x was normalized to: n = (x - mean) r, r = 1 / sqrt(variance + epsilon), over the axes. */
export interface Normalized {
  readonly n: Value;
  readonly r: Value;
  readonly axes: readonly number[];
  /** Whether the mean was subtracted; without, r is one over the root mean square. */
  readonly centered: boolean;
}

/** Normalizes once more, as the node did; the statistics keep their axes with length 1. */
export function normalize(
  ops: Ops,
  x: Value,
  { axes, epsilon, centered = true }: { axes: readonly number[]; epsilon: number; centered?: boolean },
): Normalized {
  const middle = centered ? ops.sub(x, ops.reduceMean(x, { axes })) : x;
  const variance = ops.reduceMean(ops.square(middle), { axes });
  const r = ops.reciprocal(ops.sqrt(ops.add(variance, epsilon)));
  return { n: ops.mul(middle, r), r, axes, centered };
}

/** The gradient of x, given that of n: r (dn - mean(dn) - n mean(dn n)); without the first mean where none was subtracted. */
export function normalizedGradient(ops: Ops, { n, r, axes, centered }: Normalized, dn: Value): Value {
  const along = ops.mul(n, ops.reduceMean(ops.mul(dn, n), { axes }));
  const across = centered ? ops.sub(dn, ops.reduceMean(dn, { axes })) : dn;
  return ops.mul(r, ops.sub(across, along));
}

/** Gradients of what a layer normalization gives out; statistics may have a wider element type than x. */
export interface LayerGradients {
  /** Of n scale. */
  readonly y: Value | undefined;
  readonly mean: Value | undefined;
  readonly r: Value | undefined;
}

/** The gradient of x from all outputs. Of m elements, each gets 1 / m of the mean's gradient and -r^2 n / m of that of r. */
export function layerGradient(ops: Ops, normalized: Normalized, scale: Value, { y, mean, r }: LayerGradients): Value {
  const { n, axes } = normalized;
  const shape = ops.shapeOf(n);
  const share = (gradient: Value) =>
    ops.div(ops.cast(gradient, n.dtype!), elementCount(axes.map((axis) => shape[axis]!)));
  const parts = [
    y && normalizedGradient(ops, normalized, ops.mul(y, scale)),
    mean && ops.expand(share(mean), shape),
    r && ops.neg(ops.mul(n, ops.mul(ops.square(normalized.r), share(r)))),
  ];
  return parts.filter((part) => part !== undefined).reduce((a, b) => ops.add(a, b));
}

/** Axes from `first`, which may count from the end, to the last. */
export function axesFrom(ops: Ops, x: Value, first: number): number[] {
  const rank = ops.rankOf(x);
  const start = first < 0 ? first + rank : first;
  return Array.from({ length: rank - start }, (_, index) => start + index);
}

/** y = n scale + shift over the axes from `axis` on. Outputs: y, mean, r; without centering y, r. */
function layer(centered: boolean): GradientRule {
  return (context) => {
    const { node, ops } = context;
    const [x, scale] = [node.input(0), node.input(1)];
    const y = context.gradient(0);
    const axes = axesFrom(ops, x, node.int("axis", -1));
    const normalized = normalize(ops, x, { axes, epsilon: node.float("epsilon", EPSILON), centered });
    const outputs = centered
      ? { y, mean: context.gradient(1), r: context.gradient(2) }
      : { y, mean: undefined, r: context.gradient(1) };
    return [
      context.needs(0) ? layerGradient(ops, normalized, scale, outputs) : undefined,
      y && context.needs(1) ? unbroadcast(context, 1, ops.mul(y, normalized.n)) : undefined,
      y && context.needs(2) ? unbroadcast(context, 2, y) : undefined,
    ];
  };
}

/** y = n scale + shift with one scale and shift per channel, axis 1; x is normalized in the given shape. */
function perChannel(shapeOf: (context: GradientContext) => readonly number[], firstAxis: number): GradientRule {
  return (context) => {
    const { node, ops, dy } = context;
    const shape = ops.shapeOf(node.input(0));
    const grouped = ops.reshape(node.input(0), shapeOf(context));
    const axes = axesFrom(ops, grouped, firstAxis);
    const normalized = normalize(ops, grouped, { axes, epsilon: node.float("epsilon", EPSILON) });
    const scale = ops.reshape(
      node.input(1),
      shape.slice(1).map((length, axis) => (axis === 0 ? length : 1)),
    );
    const dn = () => ops.reshape(ops.mul(dy, scale), shapeOf(context));
    const total = (gradient: Value) => ops.reduceSum(gradient, { axes: [0, ...axesFrom(ops, dy, 2)], keepDims: false });
    return [
      context.needs(0) ? ops.reshape(normalizedGradient(ops, normalized, dn()), shape) : undefined,
      context.needs(1) ? total(ops.mul(dy, ops.reshape(normalized.n, shape))) : undefined,
      context.needs(2) ? total(dy) : undefined,
    ];
  };
}

/** Each channel of each sample over its places. */
const instance = perChannel(({ node, ops }) => ops.shapeOf(node.input(0)), 2);

/** Each group of channels of each sample; scale and shift have one number per channel since operator set 21. */
const group = perChannel(({ node, ops }) => {
  const shape = ops.shapeOf(node.input(0));
  const groups = node.int("num_groups", 1);
  return [shape[0]!, groups, elementCount(shape.slice(1)) / groups];
}, 2);

/** y = (x - mean) / (deviation + 1e-9), taken as r = 1 / sqrt(variance + 1e-18). */
const meanVariance: GradientRule = ({ node, ops, dy }) => {
  const axes = node.ints("axes") ?? [0, 2, 3];
  return [normalizedGradient(ops, normalize(ops, node.input(0), { axes, epsilon: 1e-18 }), dy)];
};

/** Normalizations by mean and deviation. */
export const normalizations: Readonly<Record<string, GradientRule>> = {
  LayerNormalization: layer(true),
  RMSNormalization: layer(false),
  SimplifiedLayerNormalization: layer(false),
  InstanceNormalization: instance,
  GroupNormalization: group,
  MeanVarianceNormalization: meanVariance,
};
