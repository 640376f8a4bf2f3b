/** Normalizations of each example by itself, over its last axes. */
import type { Layer } from "../build/index.ts";
import { assertCount, assertLeastRank, knownLength, layerLabel } from "./check-input.ts";
import { ones, zeros } from "./initializers.ts";

/** How a layer norm is made. */
export interface LayerNormOptions {
  /** How many axes at the end are normalized together. Default 1. */
  readonly axes?: number;
  /** Added to the variance. Default 1e-5. */
  readonly epsilon?: number;
  /** Whether the result is scaled by a parameter. Default true. */
  readonly scale?: boolean;
  /** Whether the result is shifted by a parameter. Default as `scale`. */
  readonly bias?: boolean;
}

/**
 * Normalizes over the last axes, then scales and shifts.
 *
 *   y = (x - mean) / sqrt(variance + epsilon) * weight + bias
 *
 * Shapes: x [...batch, ...features] -> y as x; `weight`, `bias` [...features]: torch.nn.LayerNorm.
 *
 * @throws ShapeError when built, if x has no more axes than are normalized.
 * @see Ba, Kiros, Hinton 2016, "Layer Normalization", arXiv:1607.06450
 * @example
 * const normalized = nn.layerNorm();
 */
export function layerNorm(options: LayerNormOptions = {}): Layer {
  const { axes = 1, epsilon = 1e-5, scale = true, bias = scale } = options;
  assertCount(axes, "axes", "layerNorm");
  return (x, scope) => {
    const label = layerLabel("layerNorm", scope);
    assertLeastRank(x, axes + 1, "[...batch, ...features]", label);
    const features = Array.from({ length: axes }, (_, axis) => knownLength(x, axis - axes, "features", label));
    const weight = scale ? scope.parameter("weight", features, ones()) : scope.ops.full(features, 1, x.dtype);
    const shift = bias ? [scope.parameter("bias", features, zeros())] : [];
    return scope.ops.emit("LayerNormalization", [x, weight, ...shift], { axis: -axes, epsilon: { float: epsilon } });
  };
}

/** How an RMS norm is made. */
export interface RmsNormOptions {
  /** Added to the mean square. Default: the rounding error of the element type, 2^-23 in float32, as in PyTorch. */
  readonly epsilon?: number;
  /** Whether the result is scaled by a parameter. Default true. */
  readonly scale?: boolean;
}

/**
 * Divides by the root of the mean square over the last axis, then scales: layer normalization that leaves the mean alone.
 *
 *   y = x / sqrt(mean(x^2) + epsilon) * weight
 *
 * Shapes: x [...batch, features] -> y as x; `weight` [features]: torch.nn.RMSNorm.
 *
 * @throws ShapeError when built, if x has fewer than two axes.
 * @see Zhang, Sennrich 2019, "Root Mean Square Layer Normalization", arXiv:1910.07467
 * @example
 * const normalized = nn.rmsNorm();
 */
export function rmsNorm({ epsilon, scale = true }: RmsNormOptions = {}): Layer {
  return (x, scope) => {
    const { ops } = scope;
    const label = layerLabel("rmsNorm", scope);
    assertLeastRank(x, 2, "[...batch, features]", label);
    const features = knownLength(x, -1, "features", label);
    const meanSquare = ops.reduceMean(ops.square(x), { axes: [-1] });
    const y = ops.mul(
      x,
      ops.reciprocal(ops.sqrt(ops.add(meanSquare, epsilon ?? (x.dtype === "float64" ? 2 ** -52 : 2 ** -23)))),
    );
    return scale ? ops.mul(y, scope.parameter("weight", [features], ones())) : y;
  };
}
