/** Integer weights of a layer: symmetric, one scale per output channel or per block. */
import { packIntegers, Tensor } from "../tensor/index.ts";
import type { BlockWeights } from "./block-weights.ts";
import type { Grid } from "./grid.ts";
import { dequantizePerChannel } from "./quantize-values.ts";

/** Weights of a layer in the form its operator takes. */
export type QuantizedWeights = ChannelWeights | BlockWeights;

/** Weights as codes: `w[o, ...] = codes[o, ...] * scales[o]`. */
export interface ChannelWeights {
  readonly granularity: "channel";
  readonly bits: number;
  readonly shape: readonly number[];
  /** Axis of the output channels in `shape`. */
  readonly channelAxis: number;
  readonly codes: Int8Array;
  /** One symmetric grid per output channel. */
  readonly grids: readonly Grid[];
}

/** Returns the codes as a tensor: int4, packed, up to 4 bits; int8 above. */
export function codesTensor({ bits, shape, codes }: ChannelWeights): Tensor {
  return bits <= 4 ? new Tensor("int4", shape, packIntegers(codes, 4)) : new Tensor("int8", shape, codes);
}

/** Returns the scales of the output channels. */
export function scalesTensor({ grids }: ChannelWeights): Tensor {
  return new Tensor(
    "float32",
    [grids.length],
    Float32Array.from(grids, (grid) => grid.scale),
  );
}

/** Returns the weights the codes stand for. */
export function dequantizeWeights({ codes, grids, shape, channelAxis }: ChannelWeights): Float32Array {
  return dequantizePerChannel(codes, grids, { shape, axis: channelAxis });
}
