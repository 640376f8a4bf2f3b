/** The fully connected layer. */
import type { Initializer, Layer, Ops } from "../build/index.ts";
import type { Value } from "../program/index.ts";
import type { Tensor } from "../tensor/index.ts";
import { assertCount, assertLeastRank, knownLength, layerLabel } from "./check-input.ts";
import { inverseRootUniform } from "./fan-initializers.ts";

/** How a linear layer is made. */
export interface LinearOptions {
  /** Whether a bias is added, or what it starts with. Default: uniform in +-1 / sqrt(inputs). */
  readonly bias?: boolean | Initializer | Tensor;
  /** What the weight starts with. Default: uniform in +-1 / sqrt(inputs). */
  readonly weight?: Initializer | Tensor;
}

/**
 * Multiplies the last axis by a matrix: y = x weight^T + bias.
 *
 * Shapes: x [...batch, inputs] -> y [...batch, features]; `weight` [features, inputs], `bias` [features]: torch.nn.Linear's
 * layout and names, and its start.
 *
 * @param features Length of the last axis of y.
 * @throws ShapeError when built, if x has fewer than two axes or the length of the last one is not known.
 * @example
 * const head = nn.linear(10);
 */
export function linear(features: number, options: LinearOptions = {}): Layer {
  assertCount(features, "features", "linear");
  return (x, scope) => {
    const label = layerLabel("linear", scope);
    assertLeastRank(x, 2, "[...batch, inputs]", label);
    const inputs = knownLength(x, -1, "inputs", label);
    const { weight = inverseRootUniform(inputs), bias = true } = options;
    const w = scope.parameter("weight", [features, inputs], weight);
    const start = bias === true ? inverseRootUniform(inputs) : bias;
    return project(scope.ops, x, w, start === false ? undefined : scope.parameter("bias", [features], start));
  };
}

/**
 * Returns x weight^T + bias, with all axes of x but the last as rows of one matrix.
 *
 * Shapes: x [...batch, inputs], weight [features, inputs], bias [features] -> [...batch, features].
 */
export function project(ops: Ops, x: Value, weight: Value, bias: Value | undefined): Value {
  const [features, inputs] = ops.shapeOf(weight) as [number, number];
  const batch = x.shape!.slice(0, -1);
  if (batch.filter((length) => typeof length !== "number").length > 1 && batch.length > 1) {
    // Which length is which could not be told from the product of several open ones.
    const product = ops.matMul(x, ops.transposeLast(weight));
    return bias ? ops.add(product, bias) : product;
  }
  const rows = batch.length === 1 ? x : ops.reshape(x, [-1, inputs]);
  const y = ops.emit("Gemm", bias ? [rows, weight, bias] : [rows, weight], { transB: 1 });
  if (batch.length === 1) return y;
  // One length may be open until the program runs: Reshape works it out.
  return ops.reshape(y, [...batch.map((length) => (typeof length === "number" ? length : -1)), features]);
}
