/** Reading Hugging Face's preprocessor_config.json, the file that lies beside most published picture models. */
import * as z from "zod";
import { DataError } from "../errors.ts";

const length = z.int().positive();
const sizeSchema = z.union([
  length,
  z.strictObject({ shortest_edge: length }),
  z.strictObject({ height: length, width: length }),
]);

const schema = z.object({
  do_resize: z.boolean().optional(),
  size: sizeSchema.optional(),
  resample: z.int().optional(),
  crop_pct: z.number().positive().nullish(),
  do_center_crop: z.boolean().optional(),
  crop_size: sizeSchema.optional(),
  do_rescale: z.boolean().optional(),
  rescale_factor: z.number().positive().optional(),
  do_normalize: z.boolean().optional(),
  image_mean: z.union([z.number(), z.array(z.number())]).optional(),
  image_std: z.union([z.number(), z.array(z.number())]).optional(),
  do_flip_channel_order: z.boolean().optional(),
  do_pad: z.boolean().nullish(),
  image_processor_type: z.string().optional(),
  feature_extractor_type: z.string().optional(),
});

type HuggingFaceConfig = z.infer<typeof schema>;
type Size = z.infer<typeof sizeSchema>;

/** Pillow's numbers for filters. */
const INTERPOLATIONS: Readonly<Record<number, string>> = { 0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic" };

/** Returns whether JSON has the keys of Hugging Face's image processors. */
export function isHuggingFacePreprocessing(json: unknown): json is object {
  if (typeof json !== "object" || json === null) return false;
  const marks = ["image_mean", "image_std", "do_resize", "do_normalize", "do_rescale", "image_processor_type"];
  return marks.some((key) => Object.hasOwn(json, key)) || Object.hasOwn(json, "feature_extractor_type");
}

/**
 * Translates Hugging Face's keys to the fields of `Preprocessing`. Keys that do not concern pixels are passed over.
 *
 * @throws DataError for values this cannot express, such as padding or a longest edge.
 */
export function fromHuggingFace(json: object, where: string): object {
  const result = schema.safeParse(json);
  if (!result.success) {
    const issue = result.error.issues[0]!;
    throw new DataError(
      `${where}: must be an image processor with a fixed size, got ${issue.path.join(".")}: ${issue.message}. ` +
        "Give the preprocessing as flags, or in a preprocessing.json.",
    );
  }
  const config = result.data;
  if (config.do_pad) {
    throw new DataError(
      `${where}: do_pad must be false, got true: padding is not known. Give the preprocessing in a preprocessing.json.`,
    );
  }
  const interpolation = INTERPOLATIONS[config.resample ?? 2];
  if (interpolation === undefined) {
    throw new DataError(`${where}: resample must be 0, 1, 2 or 3, got ${config.resample}.`);
  }
  return {
    ...geometryOf(config),
    interpolation,
    scale: config.do_rescale === false ? 1 : (config.rescale_factor ?? 1 / 255),
    mean: config.do_normalize === false ? 0 : (config.image_mean ?? 0),
    std: config.do_normalize === false ? 1 : (config.image_std ?? 1),
    // Otherwise what the model takes: red, green, blue, or gray for one channel.
    ...(config.do_flip_channel_order && { channels: "bgr" }),
  };
}

function geometryOf(config: HuggingFaceConfig): object {
  const { size, crop_size: cropSize } = config;
  const isConvNext = /^ConvNext/i.test(config.image_processor_type ?? config.feature_extractor_type ?? "");
  const cropFraction = config.crop_pct ?? (isConvNext ? 224 / 256 : undefined);
  const crops = config.do_center_crop ?? cropSize !== undefined;
  const crop =
    crops && cropSize !== undefined ? exactSize(cropSize) : crops && size !== undefined ? exactSize(size) : null;
  if (config.do_resize === false || size === undefined) return { resize: null, crop };
  const shortSide = typeof size === "number" ? size : "shortest_edge" in size ? size.shortest_edge : undefined;
  // ConvNeXt's convention: `size` is what the model sees; below 384 the picture is resized larger and cropped to it.
  if (shortSide !== undefined && cropFraction !== undefined && !crops) {
    return shortSide < 384
      ? { resize: Math.trunc(shortSide / cropFraction), crop: shortSide }
      : { resize: [shortSide, shortSide], crop: null };
  }
  // A bare number is the short side where a crop follows, and a square where none does (ViT's old configurations).
  if (typeof size === "number") return { resize: crops ? size : [size, size], crop };
  return { resize: "shortest_edge" in size ? size.shortest_edge : [size.height, size.width], crop };
}

function exactSize(size: Size): number | [number, number] {
  if (typeof size === "number") return size;
  return "shortest_edge" in size ? size.shortest_edge : [size.height, size.width];
}
