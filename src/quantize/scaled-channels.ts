/** Results of convolutions whose channels can have scales of their own although integer operators take one for the tensor. */
import type { Layer } from "../prepare/index.ts";
import type { Program, Value } from "../program/index.ts";
import { type ActivationPlan, hasIntegerForm } from "./activation-plan.ts";

/**
 * Returns the stored results whose channels can each be divided by a number before they are rounded, at no cost and in plain
 * integer operators: those of convolutions that only depthwise convolutions read. The scale of each channel's weights is
 * divided by the number in the one, and multiplied by it in the other.
 *
 * Channels that are summed over have no place for it: there the number would have to go into the weights before these are
 * rounded, which rounds them worse (Nagel et al. 2019, "Data-free quantization through weight equalization and bias
 * correction", arXiv:1906.04721, which scales channels likewise).
 */
export function scalableResults(program: Program, layers: readonly Layer[], plan: ActivationPlan): Set<Value> {
  const uses = program.graph.uses();
  const byNode = new Map(layers.filter(hasIntegerForm).map((layer) => [layer.node, layer]));
  const found = new Set<Value>();
  for (const { value, role, layer, low } of plan.requests.values()) {
    if (role !== "layer" || (layer!.kind !== "conv" && layer!.kind !== "depthwise-conv")) continue;
    // Bounds on both sides of zero would be other codes in every channel; an upper one is no less than any channel's values.
    if (low !== 0 && low !== Number.NEGATIVE_INFINITY) continue;
    const readers = (uses.get(value) ?? []).map(({ node }) => node && byNode.get(node));
    if (readers.length > 0 && readers.every((reader) => readsByChannel(reader, value))) found.add(value);
  }
  return found;
}

/** Whether a layer reads a value, and every channel of it by itself. */
function readsByChannel(layer: Layer | undefined, value: Value): boolean {
  return layer?.kind === "depthwise-conv" && layer.input === value && layer.groups === value.shape?.[1];
}

/**
 * A channel's largest magnitude counts as at least this share of the largest of all: on other data it may be larger. Without
 * a bound, what is gained by finer steps is lost by channels that are rarely active in the calibration data.
 */
const LEAST_SHARE = 1 / 8;

/** Returns the number that each channel is divided by: its largest magnitude, in float32 as ONNX stores it. */
export function channelScalesFor(channels: readonly { readonly min: number; readonly max: number }[]): Float32Array {
  const magnitudes = channels.map(({ min, max }) => Math.max(Math.abs(min), Math.abs(max)));
  const largest = magnitudes.reduce((most, magnitude) => Math.max(most, magnitude), 0);
  return Float32Array.from(magnitudes, (magnitude) => Math.max(magnitude, largest * LEAST_SHARE) || 1);
}
