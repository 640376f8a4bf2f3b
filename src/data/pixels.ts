/** Bytes of pixels to the numbers a model takes. */
import { DataError } from "../errors.ts";
import { arrayOf, numberToHalf, Tensor } from "../tensor/index.ts";
import type { PictureSize, Preprocessing } from "./preprocessing.ts";

/** A picture in memory: rows of pixels, the channels of each pixel together. */
export interface Pixels {
  readonly size: PictureSize;
  readonly channels: 1 | 3;
  /** Bytes 0..255, sRGB; size[0] * size[1] * channels of them. */
  readonly bytes: Uint8Array;
}

/**
 * Turns pixels into a tensor without a batch axis: `(byte * scale - mean) / std`, each step rounded to float32, in the
 * layout, channel order and element type of `preprocessing`. Resizing and cropping have been done (see `planGeometry`).
 *
 * Shapes: [channels, height, width] for nchw, [height, width, channels] for nhwc.
 *
 * @throws DataError if there are not as many bytes as the size says.
 */
export function pixelsToTensor(pixels: Pixels, preprocessing: Preprocessing): Tensor {
  const [height, width] = pixels.size;
  const count = height * width;
  if (pixels.bytes.length !== count * pixels.channels) {
    throw new DataError(
      `pictures: ${height} x ${width} pixels of ${pixels.channels} channels must take ` +
        `${count * pixels.channels} bytes, got ${pixels.bytes.length}.`,
    );
  }
  const { channels, layout, dtype } = preprocessing;
  const channelCount = channels === "gray" ? 1 : 3;
  const data = new (arrayOf(dtype))(count * channelCount) as Float32Array; // elements are set by index, of any numeric array
  for (let channel = 0; channel < channelCount; channel++) {
    const table = valueTable(preprocessing, channel) as Float32Array;
    const read = channelReader(pixels, channels, channel);
    const start = layout === "nchw" ? channel * count : channel;
    const step = layout === "nchw" ? 1 : channelCount;
    for (let i = 0; i < count; i++) data[start + i * step] = table[read(i)]!;
  }
  const shape = layout === "nchw" ? [channelCount, height, width] : [height, width, channelCount];
  return new Tensor(dtype, shape, data);
}

/** What each byte becomes, as elements of the wanted type. */
function valueTable(preprocessing: Preprocessing, channel: number): ArrayLike<number | bigint> {
  const { scale, mean, std, dtype } = preprocessing;
  const m = Math.fround(mean[channel] ?? mean[0]!);
  const s = Math.fround(std[channel] ?? std[0]!);
  const values = Float32Array.from({ length: 256 }, (_, byte) => Math.fround(Math.fround(byte * scale) - m) / s);
  if (dtype === "float32" || dtype === "float64") return values;
  if (dtype === "float16") return Uint16Array.from(values, numberToHalf);
  const [low, high] = dtype === "uint8" ? [0, 255] : dtype === "int8" ? [-128, 127] : [-(2 ** 31), 2 ** 31 - 1];
  const whole = Int32Array.from(values, (value) => Math.min(high, Math.max(low, Math.round(value))));
  return dtype === "int64" ? BigInt64Array.from(whole, BigInt) : whole;
}

function channelReader(
  { bytes, channels: stored }: Pixels,
  wanted: Preprocessing["channels"],
  channel: number,
): (pixel: number) => number {
  if (stored === 1) return (i) => bytes[i]!;
  if (wanted === "rgb") return (i) => bytes[3 * i + channel]!;
  if (wanted === "bgr") return (i) => bytes[3 * i + 2 - channel]!;
  // Luma of JPEG's YCbCr (ITU-R BT.601) in Pillow's fixed-point arithmetic.
  return (i) => (bytes[3 * i]! * 19595 + bytes[3 * i + 1]! * 38470 + bytes[3 * i + 2]! * 7471 + 0x8000) >> 16;
}
