/** Where the pixels of a picture go: resizing and cropping as plain arithmetic, for whatever does it. */
import { DataError } from "../errors.ts";
import type { PictureSize, Preprocessing } from "./preprocessing.ts";

/** What is to be done with one picture. */
export interface PictureGeometry {
  /** Size to resize to; null when it is right already. */
  readonly resized: PictureSize | null;
  /** Part to cut out after that; null when it is the whole. */
  readonly crop: { readonly left: number; readonly top: number } | null;
  /** Size in the end. */
  readonly size: PictureSize;
}

/**
 * Plans resizing and cropping of one picture: the long side is cut to a whole number of pixels, the crop begins at
 * floor((side - crop) / 2).
 *
 * @param where Name of the picture, for messages.
 * @throws DataError if the picture is smaller than the crop.
 */
export function planGeometry(
  { resize, crop }: Pick<Preprocessing, "resize" | "crop">,
  [height, width]: PictureSize,
  where: string,
): PictureGeometry {
  const target = targetSize(resize, [height, width]);
  const resized = target[0] === height && target[1] === width ? null : target;
  if (crop === null) return { resized, crop: null, size: target };
  const [cropHeight, cropWidth] = typeof crop === "number" ? [crop, crop] : crop;
  if (cropHeight > target[0] || cropWidth > target[1]) {
    throw new DataError(
      `${where}: must be at least the crop of ${cropHeight} x ${cropWidth} pixels, got ${target[0]} x ${target[1]}. ` +
        "Resize the pictures first (--resize), or crop less.",
    );
  }
  const top = Math.floor((target[0] - cropHeight) / 2);
  const left = Math.floor((target[1] - cropWidth) / 2);
  const isWhole = cropHeight === target[0] && cropWidth === target[1];
  return { resized, crop: isWhole ? null : { left, top }, size: [cropHeight, cropWidth] };
}

function targetSize(resize: Preprocessing["resize"], [height, width]: PictureSize): PictureSize {
  if (resize === null) return [height, width];
  if (typeof resize !== "number") return resize;
  const longSide = Math.trunc((resize * Math.max(height, width)) / Math.min(height, width));
  return height <= width ? [resize, longSide] : [longSide, resize];
}
