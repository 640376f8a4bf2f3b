/** Pictures that are in memory decoded, as bytes plane by plane. */
import { type Dataset, datasetFromArrays } from "../../data/index.ts";
import { OptionError } from "../../errors.ts";
import { Tensor } from "../../tensor/index.ts";
import { reshapePixels } from "../decode-picture.ts";
import { mapConcurrently } from "./map-concurrently.ts";

/** Bytes of pictures [count, channels, height, width] with their classes. */
export interface StoredPicturesOptions {
  readonly description: string;
  readonly bytes: Uint8Array;
  /** [channels, height, width]. */
  readonly shape: readonly [1 | 3, number, number];
  readonly labels: Int32Array;
  readonly classNames: readonly string[] | undefined;
  /** Side to resize to. Default: as they are. */
  readonly size?: number | undefined;
}

/** Resizing at a time: enough to keep all of sharp's threads busy. */
const CONCURRENT = 32;

/** Makes a data set `{ x }` of pictures in memory, resized if asked to (bilinear, antialiased). */
export async function storedPictures(options: StoredPicturesOptions): Promise<Dataset> {
  const { description, labels, classNames, size } = options;
  const [channels, height, width] = options.shape;
  const isResized = size !== undefined && !(height === size && width === size);
  const bytes = isResized ? await resized(options, size) : options.bytes;
  const shape = isResized ? [labels.length, channels, size, size] : [labels.length, channels, height, width];
  return datasetFromArrays(new Map([["x", new Tensor("uint8", shape, bytes)]]), { description, labels, classNames });
}

/** Returns [channels, side, side] of pictures that may be resized. @throws OptionError if the size is no whole number above 0. */
export function sampleShapeOf(
  [channels, height, width]: readonly [number, number, number],
  size?: number,
): readonly number[] {
  if (size === undefined) return [channels, height, width];
  if (!Number.isInteger(size) || size < 1) {
    throw new OptionError(`data: size must be a whole number of pixels above zero, got ${size}.`);
  }
  return [channels, size, size];
}

async function resized(
  { bytes, shape, labels, description }: StoredPicturesOptions,
  size: number,
): Promise<Uint8Array> {
  const [channels, height, width] = shape;
  const length = channels * height * width;
  const result = new Uint8Array(labels.length * channels * size * size);
  const geometry = { resize: [size, size], crop: null, interpolation: "bilinear" } as const;
  await mapConcurrently(labels.length, CONCURRENT, async (index) => {
    const planes = bytes.subarray(index * length, (index + 1) * length);
    const pixels = { size: [height, width], channels, bytes: interleaved(planes, channels) } as const;
    const { bytes: small } = await reshapePixels(pixels, geometry, `${description} picture ${index}`);
    putPlanes(small, channels, result.subarray(index * channels * size * size));
  });
  return result;
}

/** Planes to pixels: the channels of each pixel together. */
function interleaved(planes: Uint8Array, channels: number): Uint8Array {
  const plane = planes.length / channels;
  const pixels = new Uint8Array(planes.length);
  for (let c = 0; c < channels; c++) for (let i = 0; i < plane; i++) pixels[i * channels + c] = planes[c * plane + i]!;
  return pixels;
}

/** Writes pixels, the channels of each together, plane by plane to the beginning of `target`. */
export function putPlanes(pixels: Uint8Array, channels: number, target: Uint8Array): void {
  const plane = pixels.length / channels;
  for (let c = 0; c < channels; c++) {
    for (let i = 0, from = c, to = c * plane; i < plane; i++, from += channels, to++) target[to] = pixels[from]!;
  }
}
