/**
 * Numbers to integer codes and back, by the rule of ONNX's QuantizeLinear: `q = saturate(round(x / scale) + zeroPoint)`,
 * division in float32, ties to even. NaN becomes the code nearest to zero.
 */

import { ShapeError } from "../errors.ts";
import { assertLayout, type ChannelLayout, channelLayout } from "./channel-layout.ts";
import { type Grid, highestCode } from "./grid.ts";

/** Integer codes: Uint8Array or Int8Array (signed grids) up to 8 bits, else Int32Array. One code per array element. */
export type Codes = Uint8Array | Int8Array | Int32Array;

/** Which values share a grid: an axis of the shape. */
export interface ChannelAxis {
  readonly shape: readonly number[];
  /** Negative counts from the end. Default 0. */
  readonly axis?: number;
}

/** Returns the codes of values on one grid. */
export function quantize(values: Float32Array, grid: Grid): Codes {
  return quantizePerChannel(values, [grid], { shape: [1, values.length] });
}

/** Returns the numbers that codes stand for. */
export function dequantize(codes: Codes, grid: Grid): Float32Array {
  return dequantizePerChannel(codes, [grid], { shape: [1, codes.length] });
}

/** Returns values rounded to a grid: `dequantize(quantize(values))` without the codes in between. */
export function fakeQuantize(values: Float32Array, grid: Grid): Float32Array {
  return fakeQuantizePerChannel(values, [grid], { shape: [1, values.length] });
}

/**
 * Returns the codes of values with one grid per channel.
 *
 * @param grids One per channel, all signed or all unsigned; bits may differ.
 * @throws ShapeError if values, grids and shape do not fit together.
 */
export function quantizePerChannel(values: Float32Array, grids: readonly Grid[], where: ChannelAxis): Codes {
  const { outer, channels, inner } = layoutFor(values.length, grids, where);
  const { scale, zeroPoint, least, most } = columnsOf(grids);
  const codes = codesFor(values.length, grids);
  let at = 0;
  for (let o = 0; o < outer; o++) {
    for (let c = 0; c < channels; c++) {
      for (const end = at + inner; at < end; at++) {
        codes[at] = steps(values[at]!, scale[c]!, least[c]!, most[c]!) + zeroPoint[c]!;
      }
    }
  }
  return codes;
}

/** Returns the numbers that codes with one grid per channel stand for. */
export function dequantizePerChannel(codes: Codes, grids: readonly Grid[], where: ChannelAxis): Float32Array {
  const { outer, channels, inner } = layoutFor(codes.length, grids, where);
  const { scale, zeroPoint } = columnsOf(grids);
  const values = new Float32Array(codes.length);
  let at = 0;
  for (let o = 0; o < outer; o++) {
    for (let c = 0; c < channels; c++) {
      for (const end = at + inner; at < end; at++) values[at] = (codes[at]! - zeroPoint[c]!) * scale[c]!;
    }
  }
  return values;
}

/** Returns values rounded to one grid per channel. */
export function fakeQuantizePerChannel(values: Float32Array, grids: readonly Grid[], where: ChannelAxis): Float32Array {
  const { outer, channels, inner } = layoutFor(values.length, grids, where);
  const { scale, least, most } = columnsOf(grids);
  const rounded = new Float32Array(values.length);
  let at = 0;
  for (let o = 0; o < outer; o++) {
    for (let c = 0; c < channels; c++) {
      for (const end = at + inner; at < end; at++) {
        rounded[at] = steps(values[at]!, scale[c]!, least[c]!, most[c]!) * scale[c]!;
      }
    }
  }
  return rounded;
}

/** The rounded and clamped number of steps from zero; never -0, so that zero comes back as +0. */
function steps(x: number, scale: number, least: number, most: number): number {
  const exact = Math.fround(x / scale);
  if (exact >= most) return most;
  if (exact <= least) return least;
  if (Number.isNaN(exact)) return Math.min(Math.max(0, least), most);
  // Rounds half to even, see roundHalfEven; between least and most |exact| is far below 2^51.
  return exact + 6755399441055744 - 6755399441055744;
}

/** The grids as arrays by channel, which the loops read much faster than objects; least and most in steps from zero. */
function columnsOf(grids: readonly Grid[]): Record<"scale" | "zeroPoint" | "least" | "most", Float64Array> {
  const [scale, zeroPoint, least, most] = [0, 1, 2, 3].map(() => new Float64Array(grids.length)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  for (const [c, grid] of grids.entries()) {
    scale[c] = grid.scale;
    zeroPoint[c] = grid.zeroPoint;
    least[c] = grid.lowestCode - grid.zeroPoint;
    most[c] = highestCode(grid) - grid.zeroPoint;
  }
  return { scale, zeroPoint, least, most };
}

function layoutFor(length: number, grids: readonly Grid[], { shape, axis = 0 }: ChannelAxis): ChannelLayout {
  const layout = channelLayout(shape, axis);
  assertLayout(length, layout, "quantize");
  if (grids.length !== layout.channels) {
    throw new ShapeError(
      `quantize: there must be one grid for each of ${layout.channels} channels, got ${grids.length}.`,
    );
  }
  return layout;
}

function codesFor(length: number, grids: readonly Grid[]): Codes {
  if (grids.some((grid) => grid.bits > 8)) return new Int32Array(length);
  return grids.some((grid) => grid.lowestCode < 0) ? new Int8Array(length) : new Uint8Array(length);
}
