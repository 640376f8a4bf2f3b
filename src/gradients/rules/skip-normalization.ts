/** Gradients of ONNX Runtime's layer normalization of a sum, which its optimizer writes into transformers. */
import type { GradientRule } from "../../build/index.ts";
import type { Value } from "../../program/index.ts";
import { unbroadcast } from "./arithmetic.ts";
import { layerGradient, normalize } from "./normalization.ts";

/** ONNX Runtime's default. */
const EPSILON = 1e-12;

/**
 * s = input + skip + bias; y = n scale + shift over the last axis of s. Outputs: y, mean, r, s.
 *
 * Inputs: input, skip, scale, shift (not when simplified), bias.
 */
function skipLayer(simplified: boolean): GradientRule {
  return (context) => {
    const { node, ops } = context;
    const biasIndex = simplified ? 3 : 4;
    const bias = node.inputs[biasIndex];
    const sum = ops.add(node.input(0), node.input(1));
    const x = bias ? ops.add(sum, bias) : sum;
    const [y, mean, r, ds] = [0, 1, 2, 3].map((index) => context.gradient(index));
    const settings = { axes: [ops.rankOf(x) - 1], epsilon: node.float("epsilon", EPSILON), centered: !simplified };
    const normalized = normalize(ops, x, settings);
    const normalizing = y || mean || r ? layerGradient(ops, normalized, node.input(2), { y, mean, r }) : undefined;
    const dx = normalizing && ds ? ops.add(normalizing, ds) : (normalizing ?? ds)!;
    const gradients: (Value | undefined)[] = [
      dx,
      context.needs(1) ? unbroadcast(context, 1, dx) : undefined,
      y && context.needs(2) ? unbroadcast(context, 2, ops.mul(y, normalized.n)) : undefined,
      y && context.needs(3) && !simplified ? unbroadcast(context, 3, y) : undefined,
    ];
    if (context.needs(biasIndex)) gradients[biasIndex] = unbroadcast(context, biasIndex, dx);
    return gradients;
  };
}

/** Layer normalization of a sum. */
export const skipNormalizations: Readonly<Record<string, GradientRule>> = {
  "com.microsoft:SkipLayerNormalization": skipLayer(false),
  "com.microsoft:SkipSimplifiedLayerNormalization": skipLayer(true),
};
