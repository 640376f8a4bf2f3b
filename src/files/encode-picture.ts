/** Pixels to picture files. */
import type { Pixels } from "../data/index.ts";

/** Returns the bytes of a PNG file of the pixels. */
export async function encodePng({ size: [height, width], channels, bytes }: Pixels): Promise<Uint8Array> {
  const { default: sharp } = await import("sharp");
  return sharp(bytes, { raw: { height, width, channels } }).png().toBuffer();
}
