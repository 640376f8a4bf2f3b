/** How pictures become numbers for a model: the specification, and how it is read from JSON. */
import * as z from "zod";
import { DataError } from "../errors.ts";
import { fromHuggingFace, isHuggingFacePreprocessing } from "./hugging-face-preprocessing.ts";

/** Height and width in pixels. */
export type PictureSize = readonly [height: number, width: number];

/**
 * How pictures become numbers for a model: resize, crop the centre, then `(byte * scale - mean) / std` for each channel
 * in float32, then the layout and the element type the model wants.
 */
export interface Preprocessing {
  /** Length of the short side after resizing, or the exact size; null: no resizing. Pictures of that size are left alone. */
  readonly resize: number | PictureSize | null;
  /** Side of the square cut from the centre, or its size; null: no crop. */
  readonly crop: number | PictureSize | null;
  /** Filter for resizing; antialiased when it shrinks, as in Pillow. */
  readonly interpolation: "nearest" | "bilinear" | "bicubic" | "lanczos";
  /** Factor for bytes 0..255 before anything else. */
  readonly scale: number;
  /** Subtracted after scaling: one number for each channel, or one for all. */
  readonly mean: readonly number[];
  /** Divided by after that; likewise. */
  readonly std: readonly number[];
  readonly layout: "nchw" | "nhwc";
  /** What the channels are. `gray` is luma, the Y of JPEG's YCbCr, rounded as Pillow rounds it. */
  readonly channels: "rgb" | "bgr" | "gray";
  /** Element type the model is fed; anything but a float type wants whole numbers and gets them rounded and clamped. */
  readonly dtype: "float32" | "float16" | "float64" | "uint8" | "int8" | "int32" | "int64";
}

/** Some of the fields of a `Preprocessing`; defaults fill in the rest. */
export type PreprocessingSettings = { readonly [K in keyof Preprocessing]?: Preprocessing[K] | undefined };

/** Names of the files in which preprocessing is looked for, in this order. */
export const PREPROCESSING_FILES: readonly string[] = ["preprocessing.json", "preprocessor_config.json"];

const length = z.int().positive();
const size = z.union([length, z.tuple([length, length]), z.null()], {
  error: "must be a length, [height, width] or null",
});
const perChannel = z
  .union([z.number().transform((number) => [number]), z.array(z.number()).min(1)])
  .refine((numbers) => numbers.every(Number.isFinite), "must be finite numbers");

const settingsSchema = z.strictObject({
  resize: size.optional(),
  crop: size.optional(),
  interpolation: z.enum(["nearest", "bilinear", "bicubic", "lanczos"]).optional(),
  scale: z.number().positive().optional(),
  mean: perChannel.optional(),
  std: perChannel.refine((numbers) => numbers.every((number) => number > 0), "must be above zero").optional(),
  layout: z.enum(["nchw", "nhwc"]).optional(),
  channels: z.enum(["rgb", "bgr", "gray"]).optional(),
  dtype: z.enum(["float32", "float16", "float64", "uint8", "int8", "int32", "int64"]).optional(),
});

/**
 * Checks preprocessing given as plain data: our own keys (those of `Preprocessing`; unknown keys are errors), or the keys
 * of Hugging Face's `preprocessor_config.json` (image_mean, image_std, size, crop_size, do_*, rescale_factor, resample).
 *
 * @param where What it was read from, for messages.
 * @throws DataError naming the key at fault.
 */
export function parsePreprocessing(json: unknown, where: string): PreprocessingSettings {
  const ours = isHuggingFacePreprocessing(json) ? fromHuggingFace(json, where) : json;
  const result = settingsSchema.safeParse(ours);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const path = issue.path.length > 0 ? `${issue.path.join(".")}: ` : "";
  throw new DataError(
    `${where}: must be valid preprocessing, got ${path}${issue.message}. ` +
      `Known keys: ${Object.keys(settingsSchema.shape).join(", ")}.`,
  );
}

/**
 * Reads preprocessing from the text of a JSON file. See `parsePreprocessing`.
 *
 * @throws DataError if the text is no JSON, or names the key at fault.
 */
export function readPreprocessing(text: string, where: string): PreprocessingSettings {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new DataError(`${where}: must be JSON, got text that is not (${(cause as Error).message}).`, { cause });
  }
  return parsePreprocessing(json, where);
}

/** Merges settings field by field; the first that states a field wins. */
export function mergePreprocessing(...layers: readonly PreprocessingSettings[]): PreprocessingSettings {
  const stated = layers.map((layer) => Object.entries(layer).filter(([, value]) => value !== undefined));
  return Object.fromEntries(stated.reverse().flat());
}
