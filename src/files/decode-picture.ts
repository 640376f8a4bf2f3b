/** Picture files, and pictures in memory, to pixels of the size a model wants. */
import { basename } from "node:path";
import type { Sharp } from "sharp";
import { type PictureSize, type Pixels, type Preprocessing, planGeometry } from "../data/index.ts";
import { DataError, ModicumError } from "../errors.ts";

/** Endings of the picture files that are read, lower case. */
export const PICTURE_ENDINGS: readonly string[] = [".jpg", ".jpeg", ".png", ".webp", ".gif", ".tif", ".tiff", ".avif"];

type Geometry = Pick<Preprocessing, "resize" | "crop" | "interpolation">;

const KERNELS = { nearest: "nearest", bilinear: "linear", bicubic: "cubic", lanczos: "lanczos3" } as const;

/** Returns whether a file is a picture by its name. */
export function isPictureName(name: string): boolean {
  const lower = name.toLowerCase();
  return PICTURE_ENDINGS.some((ending) => lower.endsWith(ending));
}

/**
 * Reads a picture file, turned upright by its EXIF orientation, resized and cropped. Whatever it is in - gray, CMYK, 16
 * bits, with transparency - comes as 8-bit sRGB; transparency is dropped and colour profiles are not applied, as in Pillow
 * and OpenCV, with which models are trained.
 *
 * @throws DataError naming the file if it is damaged, truncated, no picture, or smaller than the crop.
 */
export async function decodePicture(path: string, geometry: Geometry): Promise<Pixels> {
  const { default: sharp } = await import("sharp");
  try {
    const picture = sharp(path, { ignoreIcc: true, failOn: "warning", autoOrient: true });
    const { autoOrient } = await picture.metadata();
    const plan = planGeometry(geometry, [autoOrient.height, autoOrient.width], basename(path));
    const reshaped = reshape(picture, plan, geometry.interpolation);
    const bytes = await reshaped.removeAlpha().toColourspace("srgb").raw({ depth: "uchar" }).toBuffer();
    return { size: plan.size, channels: 3, bytes };
  } catch (cause) {
    if (cause instanceof ModicumError) throw new DataError(cause.message.replace(basename(path), path), { cause });
    throw new DataError(`${path}: must be a whole picture, got one that cannot be read (${reasonOf(cause)}).`, {
      cause,
    });
  }
}

/** Resizes and crops a picture that is in memory; returns it as it is when it fits. See `decodePicture` for errors. */
export async function reshapePixels(pixels: Pixels, geometry: Geometry, where: string): Promise<Pixels> {
  const plan = planGeometry(geometry, pixels.size, where);
  if (plan.resized === null && plan.crop === null) return pixels;
  const { default: sharp } = await import("sharp");
  const [height, width] = pixels.size;
  const picture = sharp(pixels.bytes, { raw: { width, height, channels: pixels.channels } });
  const bytes = await reshape(picture, plan, geometry.interpolation)
    .toColourspace(pixels.channels === 1 ? "b-w" : "srgb")
    .raw({ depth: "uchar" })
    .toBuffer();
  return { size: plan.size, channels: pixels.channels, bytes };
}

function reshape(
  picture: Sharp,
  plan: ReturnType<typeof planGeometry>,
  interpolation: Preprocessing["interpolation"],
): Sharp {
  let reshaped = picture;
  if (plan.resized !== null) {
    const [height, width]: PictureSize = plan.resized;
    // Shrinking inside the JPEG decoder would be faster, but is not what models were trained on.
    const kernel = KERNELS[interpolation];
    reshaped = reshaped.resize({ width, height, fit: "fill", kernel, fastShrinkOnLoad: false });
  }
  if (plan.crop !== null) {
    const [height, width] = plan.size;
    reshaped = reshaped.extract({ left: plan.crop.left, top: plan.crop.top, width, height });
  }
  return reshaped;
}

function reasonOf(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  return message.split("\n")[0]!.trim();
}
