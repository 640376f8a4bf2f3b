/** Turning one layer's weights into integers, and its bias into what makes up for them. */
import { DataError } from "../errors.ts";
import type { Layer } from "../prepare/index.ts";
import { constantSize } from "../program/index.ts";
import { toFloat32 } from "../tensor/index.ts";
import { biasShift } from "./bias-shift.ts";
import { type BlockGridKind, DEFAULT_BLOCK_SIZE } from "./block-format.ts";
import { blockRows, fromRows, haveSameRows, toRows } from "./block-layer.ts";
import { dequantizeBlocks, quantizeBlocks } from "./block-weights.ts";
import type { InputMoments } from "./calibrate.ts";
import { hasChannelBias } from "./channel-bias.ts";
import { weightCorrection } from "./correction.ts";
import type { Grid } from "./grid.ts";
import type { QuantizedLayer } from "./lowering/plan.ts";
import { preserveMeans } from "./mean-preserving-rounding.ts";
import type { Correction } from "./options.ts";
import { dequantizePerChannel, quantizePerChannel } from "./quantize-values.ts";
import { type ChannelWeights, dequantizeWeights, type QuantizedWeights } from "./quantized-weights.ts";
import { weightGrids } from "./weight-scale.ts";

export { canUseBlocks } from "./block-layer.ts";

/** How to quantize a layer's weights. */
export interface QuantizeLayerOptions {
  readonly bits: number;
  /** "block" for matrix products and embeddings that have kernels for it. */
  readonly granularity: "channel" | "block";
  /** Weights in a block. Default 32. */
  readonly blockSize?: number;
  /** Whether the codes of a block are symmetric around zero, or have a zero point of their own. Default "symmetric". */
  readonly blockGrid?: BlockGridKind;
  readonly clip: "max" | "mse";
  readonly correction: Correction;
  /** Moments of the channels of the layer's input; without them biases stay as they are. */
  readonly inputMoments: InputMoments | undefined;
  /** Grid of the layer's input when that is quantized. */
  readonly inputGrid: Grid | undefined;
  /** Another layer with the same weights: its integers are taken over where they fit, so that they are stored once. */
  readonly sameWeights?: QuantizedLayer | undefined;
}

/** Returns a layer's float weights. */
export function layerWeights(layer: Layer): Float32Array {
  return toFloat32(layer.weight.constant!.load());
}

/** @throws DataError if one of a layer's weights is NaN or infinite. */
export function assertFiniteWeights(layer: Layer): void {
  const values = layerWeights(layer);
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) continue;
    throw new DataError(
      `quantize: weights must be finite, got ${values[i]} in ${layer.weight.name} of ${layer.node.label}.`,
    );
  }
}

/** Returns the number of output channels: the length the layer's bias has. */
export function outputChannels(layer: Layer): number {
  const shape = layer.weight.constant!.shape;
  const length = shape[layer.outputChannelAxis]!;
  return layer.kind === "conv-transpose" ? length * layer.groups : length;
}

/** A layer with its quantized weights and the numbers they stand for. */
export interface RoundedLayer {
  readonly quantized: QuantizedLayer;
  /** In the layout of the original. */
  readonly floats: Float32Array;
}

/** Quantizes a layer's weights symmetrically, and computes what its bias has to make up for. */
export function quantizeLayer(layer: Layer, options: QuantizeLayerOptions): RoundedLayer {
  const values = layerWeights(layer);
  const weights = takenOver(layer, options) ?? ownWeights(layer, values, options);
  const floats = floatsOf(layer, weights);
  const biasShift =
    options.correction === "none" ? undefined : expectedShift(layer, values, floats, options.inputMoments?.means);
  const integer = options.inputGrid !== undefined;
  return { quantized: { layer, weights, channels: outputChannels(layer), biasShift, integer }, floats };
}

function ownWeights(layer: Layer, values: Float32Array, options: QuantizeLayerOptions): QuantizedWeights {
  return options.granularity === "block"
    ? blockWeights(layer, values, options)
    : channelWeights(layer, values, options);
}

/** The integers of another layer with the same weights, unless this one needs them in another form or with larger scales. */
function takenOver(layer: Layer, options: QuantizeLayerOptions): QuantizedWeights | undefined {
  const { sameWeights, bits, granularity, inputGrid } = options;
  if (!sameWeights) return undefined;
  const { layer: other, weights } = sameWeights;
  if (weights.granularity === "block" && weights.bits === bits && granularity === "block")
    return haveSameRows(layer, other) ? weights : undefined;
  if (other.kind !== layer.kind || other.outputChannelAxis !== layer.outputChannelAxis) return undefined;
  if (weights.granularity !== granularity || weights.bits !== bits) return undefined;
  if (weights.granularity === "block" || !inputGrid) return weights;
  const roomy = withRoomForBias(layer, weights.grids, inputGrid.scale);
  return roomy.every((grid, c) => grid === weights.grids[c]) ? weights : undefined;
}

function channelWeights(layer: Layer, values: Float32Array, options: QuantizeLayerOptions): ChannelWeights {
  const { shape } = layer.weight.constant!;
  const where = { shape, axis: layer.outputChannelAxis };
  const found = weightGrids(values, { ...where, bits: options.bits, clip: options.clip });
  const grids = options.inputGrid ? withRoomForBias(layer, found, options.inputGrid.scale) : found;
  const codes = quantizePerChannel(values, grids, where) as Int8Array;
  const inputs = options.correction === "none" ? undefined : inputsPerWeight(layer, options.inputMoments);
  if (inputs) preserveMeans(values, codes, grids, where, inputs);
  const corrected = options.correction.startsWith("mean-variance") ? withVariance(values, codes, grids, where) : grids;
  return {
    granularity: "channel",
    bits: options.bits,
    shape,
    channelAxis: layer.outputChannelAxis,
    codes,
    grids: corrected,
  };
}

/** Looks up, for an output channel, the moments of the input that each of its weights meets. */
function inputsPerWeight(
  layer: Layer,
  moments: InputMoments | undefined,
): ((channel: number) => InputMoments) | undefined {
  const { shape } = layer.weight.constant!;
  if (!moments || layer.kind === "embedding" || layer.kind === "recurrent" || layer.kind === "conv-transpose")
    return undefined;
  const outputs = shape[layer.outputChannelAxis]!;
  const inputs = layer.outputChannelAxis === 0 ? shape[1]! : shape[0]!;
  if (moments.means.length !== inputs * layer.groups) return undefined;
  const taps = constantSize(layer.weight.constant!) / outputs / inputs;
  const spread = (group: number, moments: Float64Array): Float64Array => {
    const all = new Float64Array(inputs * taps);
    for (let i = 0; i < inputs; i++) all.fill(moments[group * inputs + i]!, i * taps, (i + 1) * taps);
    return all;
  };
  const groups = Array.from({ length: layer.groups }, (_, group) => ({
    means: spread(group, moments.means),
    variances: spread(group, moments.variances),
  }));
  return (channel) => groups[Math.floor((channel * layer.groups) / outputs)]!;
}

/** Multiplies each channel's scale by xi, so that the codes stand for weights of the original spread (ACIQ section 7). */
function withVariance(
  values: Float32Array,
  codes: Int8Array,
  grids: readonly Grid[],
  where: { shape: readonly number[]; axis: number },
): Grid[] {
  const { factor } = weightCorrection(values, dequantizePerChannel(codes, grids, where), "mean-variance", where);
  return grids.map((grid, c) => ({ ...grid, scale: Math.fround(grid.scale * factor[c]!) }));
}

/** Largest magnitude of an integer bias, with room for the sum of products beside it. */
const LARGEST_BIAS = 2 ** 30;

/** Makes scales large enough for each channel's bias to fit in int32: matters for channels whose weights are (nearly) zero. */
function withRoomForBias(layer: Layer, grids: readonly Grid[], inputScale: number): Grid[] {
  const bias = layer.bias?.constant && toFloat32(layer.bias.constant.load());
  if (!bias) return [...grids];
  return grids.map((grid, c) => {
    const least = Math.abs(bias[bias.length === 1 ? 0 : c]!) / (inputScale * LARGEST_BIAS);
    return grid.scale >= least ? grid : { ...grid, scale: Math.fround(least * 1.001) };
  });
}

/** Block weights as their operators want them: rows along the summed axis for a product, the table's rows for an embedding. */
function blockWeights(layer: Layer, values: Float32Array, options: QuantizeLayerOptions): QuantizedWeights {
  const { bits, blockSize = DEFAULT_BLOCK_SIZE, blockGrid, clip } = options;
  const symmetric = blockGrid !== "asymmetric";
  return quantizeBlocks(toRows(layer, values), blockRows(layer).rowLength, { bits, blockSize, symmetric, clip });
}

/** Returns the numbers that a layer's integers stand for, in the layout of its weights. */
export function floatsOf(layer: Layer, weights: QuantizedWeights): Float32Array {
  return weights.granularity === "channel" ? dequantizeWeights(weights) : fromRows(layer, dequantizeBlocks(weights));
}

/** Returns the expected shift of each output, for layers whose products sum over channels with known means. */
export function expectedShift(
  layer: Layer,
  values: Float32Array,
  floats: Float32Array,
  inputMeans: ArrayLike<number> | undefined,
): Float64Array | undefined {
  if (!inputMeans || layer.kind === "embedding" || layer.kind === "recurrent" || layer.weightIndex === 0)
    return undefined;
  if (!hasChannelBias(layer)) return undefined;
  const shape = layer.weight.constant!.shape;
  const layout = layer.outputChannelAxis === 0 ? "outputs-first" : "inputs-first";
  const inputs = layout === "outputs-first" ? shape[1]! * layer.groups : shape[0]!;
  if (inputMeans.length !== inputs || (layer.kind === "matmul" && shape.length !== 2)) return undefined;
  const strides = layer.kind === "conv-transpose" ? (layer.node.ints("strides") ?? []) : [];
  const upsampling = strides.reduce((product, stride) => product * stride, 1);
  return biasShift(values, floats, inputMeans, { shape, layout, groups: layer.groups, upsampling });
}
