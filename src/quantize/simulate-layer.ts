/** Weights as ACIQ quantizes them: affine grids per channel, bits shared among channels, moments corrected; in float. */
import type { Layer } from "../prepare/index.ts";
import { allocateBits, bitTotals, LARGEST_ALLOCATED_BITS } from "./allocation.ts";
import { channelLayout, gatherChannel } from "./channel-layout.ts";
import { correctWeights } from "./correction.ts";
import { constantGrid, type Grid, gridFor } from "./grid.ts";
import type { SimulatedLayer } from "./lowering/simulate.ts";
import type { Allocation, Correction } from "./options.ts";
import { layerWeights, outputChannels } from "./quantize-layer.ts";
import { fakeQuantizePerChannel } from "./quantize-values.ts";
import { weightGrids } from "./weight-scale.ts";

/** How to quantize a layer's weights in simulation. */
export interface SimulateLayerOptions {
  readonly bits: number;
  readonly allocation: Allocation;
  readonly correction: Correction;
  readonly clip: "max" | "mse";
}

/** A simulated layer and the mean bits of its weights. */
export interface SimulatedWeights extends SimulatedLayer {
  readonly meanBits: number;
}

/** Returns a layer with its weights rounded to a grid per output channel, corrected per channel (ACIQ sections 5 to 7). */
export function simulateLayer(layer: Layer, options: SimulateLayerOptions): SimulatedWeights {
  const values = layerWeights(layer);
  const where = { shape: layer.weight.constant!.shape, axis: layer.outputChannelAxis };
  const { bits, grids } = affineGrids(values, where, options);
  const floats = correctWeights(values, fakeQuantizePerChannel(values, grids, where), options.correction, where);
  return { layer, floats, channels: outputChannels(layer), biasShift: undefined, meanBits: bits };
}

function affineGrids(
  values: Float32Array,
  where: { shape: readonly number[]; axis: number },
  { bits, allocation, clip }: SimulateLayerOptions,
): { bits: number; grids: Grid[] } {
  if (clip === "mse") return { bits, grids: weightGrids(values, { ...where, bits, clip }) };
  const channels = channelExtremes(values, where);
  const allocated = bits <= LARGEST_ALLOCATED_BITS ? allocateBits(channels.map(({ spread }) => spread), bits, { method: allocation }) : undefined; // biome-ignore format: one condition
  const grids = channels.map(({ low, high, mean }, c) => {
    const own = allocated?.[c] ?? bits;
    return own > 0 ? gridFor({ low, high }, own) : constantGrid(mean);
  });
  return { bits: allocated ? bitTotals(allocated).mean : bits, grids };
}

/** Minimum, maximum, mean and standard deviation of each channel. */
function channelExtremes(
  values: Float32Array,
  where: { shape: readonly number[]; axis: number },
): { low: number; high: number; mean: number; spread: number }[] {
  const layout = channelLayout(where.shape, where.axis);
  const channel = new Float32Array(layout.outer * layout.inner);
  return Array.from({ length: layout.channels }, (_, c) => {
    gatherChannel(values, layout, c, channel);
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    let sum = 0;
    for (const x of channel) {
      low = Math.min(low, x);
      high = Math.max(high, x);
      sum += x;
    }
    const mean = sum / channel.length;
    let square = 0;
    for (const x of channel) square += (x - mean) ** 2;
    return { low, high, mean, spread: Math.sqrt(square / channel.length) };
  });
}
