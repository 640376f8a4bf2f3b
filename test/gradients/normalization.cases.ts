/** Cases of normalizations. */
import type { Attributes } from "../../src/build/index.ts";
import type { Value } from "../../src/program/index.ts";
import { dtypeCode } from "../../src/tensor/index.ts";
import { apart, type GradientCase, normal, uniform } from "./gradient-case.ts";

const image = normal([2, 4, 2, 3]);
const perChannel = [normal([4]), normal([4])];
const microsoft = { domain: "com.microsoft" };

/** Statistics in x's own element type. */
function stash(x: Value): Attributes {
  return { stash_type: dtypeCode(x.dtype!) };
}

const layers: readonly GradientCase[] = [
  {
    title: "LayerNormalization over the last axis, with mean and inverse deviation",
    covers: ["LayerNormalization"],
    inputs: [normal([2, 3, 4]), normal([4]), normal([4])],
    build: (ops, x, scale, shift) => ops.emitAll("LayerNormalization", [x, scale, shift], 3, stash(x)),
    second: true,
  },
  {
    title: "LayerNormalization over two axes without a shift",
    covers: ["LayerNormalization"],
    inputs: [normal([2, 3, 4]), normal([3, 4])],
    build: (ops, x, scale) => ops.emit("LayerNormalization", [x, scale], { axis: 1, epsilon: 0.1 }),
  },
  {
    title: "LayerNormalization with a scale that broadcasts, of which only the mean is used",
    covers: ["LayerNormalization"],
    inputs: [normal([2, 3, 4]), normal([4])],
    build: (ops, x, scale) => ops.emitAll("LayerNormalization", [x, scale], 3, { axis: 1, ...stash(x) })[1]!,
  },
  {
    title: "RMSNormalization",
    covers: ["RMSNormalization"],
    inputs: [normal([2, 3, 4]), normal([4])],
    build: (ops, x, scale) => ops.emit("RMSNormalization", [x, scale]),
    opset: 23,
    second: true,
  },
  {
    title: "SimplifiedLayerNormalization, with inverse deviation",
    covers: ["SimplifiedLayerNormalization"],
    inputs: [normal([2, 3, 4]), normal([4])],
    build: (ops, x, scale) => ops.emitAll("SimplifiedLayerNormalization", [x, scale], 2, { axis: -1, ...stash(x) }),
  },
  {
    title: "SkipLayerNormalization with all inputs, and the sum",
    covers: ["com.microsoft:SkipLayerNormalization"],
    inputs: [normal([2, 3, 4]), normal([2, 3, 4]), normal([4]), normal([4]), normal([4])],
    build: (ops, ...inputs) => {
      const [y, , , sum] = ops.emitAll("SkipLayerNormalization", inputs, 4, { epsilon: 1e-3 }, microsoft);
      return [y!, sum!];
    },
    second: true,
  },
  {
    title: "SkipLayerNormalization of which only the sum is used",
    covers: ["com.microsoft:SkipLayerNormalization"],
    inputs: [normal([2, 3, 4]), normal([2, 3, 4]), normal([4])],
    build: (ops, ...inputs) => ops.emitAll("SkipLayerNormalization", inputs, 4, {}, microsoft)[3]!,
  },
  {
    title: "SkipSimplifiedLayerNormalization with a bias",
    covers: ["com.microsoft:SkipSimplifiedLayerNormalization"],
    inputs: [normal([2, 3, 4]), normal([2, 3, 4]), normal([4]), normal([4])],
    build: (ops, ...inputs) => ops.emit("SkipSimplifiedLayerNormalization", inputs, { epsilon: 1e-3 }, microsoft),
  },
];

const channels: readonly GradientCase[] = [
  {
    title: "InstanceNormalization",
    covers: ["InstanceNormalization"],
    inputs: [image, ...perChannel],
    build: (ops, ...inputs) => ops.emit("InstanceNormalization", inputs, { epsilon: 1e-3 }),
    second: true,
  },
  {
    title: "GroupNormalization",
    covers: ["GroupNormalization"],
    inputs: [image, ...perChannel],
    build: (ops, ...inputs) => ops.emit("GroupNormalization", inputs, { num_groups: 2 }),
    second: true,
  },
  {
    title: "BatchNormalization with given statistics",
    covers: ["BatchNormalization"],
    inputs: [image, ...perChannel, normal([4]), uniform([4], 0.5, 2)],
    build: (ops, ...inputs) => ops.emit("BatchNormalization", inputs, { epsilon: 1e-3 }),
    second: true,
  },
  {
    title: "BatchNormalization with given statistics of rows",
    covers: ["BatchNormalization"],
    inputs: [normal([5, 4]), ...perChannel, normal([4]), uniform([4], 0.5, 2)],
    build: (ops, ...inputs) => ops.emit("BatchNormalization", inputs),
  },
  {
    title: "BatchNormalization in training, with the running statistics",
    covers: ["BatchNormalization"],
    inputs: [image, ...perChannel, normal([4]), uniform([4], 0.5, 2)],
    build: (ops, ...inputs) => ops.emitAll("BatchNormalization", inputs, 3, { training_mode: 1, momentum: 0.7 }),
    second: true,
  },
  {
    title: "BatchNormalization in training, of which only the running variance is used",
    covers: ["BatchNormalization"],
    inputs: [image, ...perChannel, normal([4]), uniform([4], 0.5, 2)],
    build: (ops, ...inputs) => ops.emitAll("BatchNormalization", inputs, 3, { training_mode: 1 })[2]!,
  },
];

const others: readonly GradientCase[] = [
  {
    title: "MeanVarianceNormalization",
    covers: ["MeanVarianceNormalization"],
    inputs: [image],
    build: (ops, x) => ops.emit("MeanVarianceNormalization", [x]),
  },
  {
    title: "MeanVarianceNormalization over chosen axes",
    covers: ["MeanVarianceNormalization"],
    inputs: [image],
    build: (ops, x) => ops.emit("MeanVarianceNormalization", [x], { axes: [2, 3] }),
    second: true,
  },
  ...[1, 2].map(
    (p): GradientCase => ({
      title: `LpNormalization with p = ${p}`,
      covers: ["LpNormalization"],
      inputs: [apart([2, 3, 4])],
      build: (ops, x) => ops.emit("LpNormalization", [x], { axis: 1, p }),
      second: true,
    }),
  ),
  ...[1, 3, 5].map(
    (size): GradientCase => ({
      title: `LRN over ${size} channels`,
      covers: ["LRN"],
      inputs: [normal([2, 4, 1, 3])],
      build: (ops, x) => ops.emit("LRN", [x], { size, alpha: 0.8, beta: 0.6, bias: 1.5 }),
      second: size === 3,
    }),
  ),
];

const standardizations: readonly GradientCase[] = [
  {
    title: "Standardize, numbers per channel",
    covers: ["modicum:Standardize"],
    inputs: [normal([2, 3, 2]), uniform([3, 1], 1, 2), normal([3, 1]), normal([3, 1]), normal([3, 1])],
    build: (ops, ...inputs) => ops.emit("Standardize", inputs, {}, { domain: "modicum" }),
    second: true,
  },
  {
    title: "Standardize, numbers per example and channel, without mean and bias",
    covers: ["modicum:Standardize"],
    inputs: [normal([2, 2, 3]), uniform([2, 1, 3], 1, 2), normal([3])],
    build: (ops, ...inputs) => ops.emit("Standardize", inputs, {}, { domain: "modicum" }),
    second: true,
  },
];

/** Normalizations. */
export const normalizationCases: readonly GradientCase[] = [...layers, ...channels, ...others, ...standardizations];
