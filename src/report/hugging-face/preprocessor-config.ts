/** The preprocessor_config.json that turns pictures into a model's input, as Hugging Face's libraries read it. */
import type { PictureSize, Preprocessing } from "../../data/index.ts";
import { UnsupportedError } from "../../errors.ts";

/** Content of preprocessor_config.json. */
export interface PreprocessorConfig {
  readonly image_processor_type: "BitImageProcessor";
  readonly do_convert_rgb: boolean;
  readonly do_resize: boolean;
  readonly size?: { readonly shortest_edge: number } | { readonly height: number; readonly width: number };
  /** Pillow's number of the filter. */
  readonly resample: number;
  readonly do_center_crop: boolean;
  readonly crop_size?: { readonly height: number; readonly width: number };
  readonly do_rescale: boolean;
  readonly rescale_factor: number;
  readonly do_normalize: boolean;
  readonly image_mean: readonly number[];
  readonly image_std: readonly number[];
  readonly do_flip_channel_order?: true;
}

const RESAMPLE: Readonly<Record<Preprocessing["interpolation"], number>> = {
  nearest: 0,
  lanczos: 1,
  bilinear: 2,
  bicubic: 3,
};

/**
 * Returns the configuration of an image processor that does the same (BiT's: resize the short side, crop, rescale, normalize).
 *
 * Gray models get gray pictures as they are stored: transformers.js does not turn colour into gray by configuration.
 *
 * @throws UnsupportedError for a layout or element type that image processors do not give: they give float32 NCHW.
 */
export function preprocessorConfig(preprocessing: Preprocessing): PreprocessorConfig {
  const { resize, crop, interpolation, scale, mean, std, layout, channels, dtype } = preprocessing;
  if (layout !== "nchw" || dtype !== "float32") {
    throw new UnsupportedError(
      `preprocessorConfig: pictures for transformers.js must be float32 in layout nchw, got ${dtype} in layout ${layout}. ` +
        "Export the model with such an input.",
    );
  }
  const channelCount = channels === "gray" ? 1 : 3;
  const perChannel = (values: readonly number[]): number[] =>
    Array.from({ length: channelCount }, (_, i) => values[values.length === 1 ? 0 : i]!);
  return {
    image_processor_type: "BitImageProcessor",
    do_convert_rgb: channels !== "gray",
    do_resize: resize !== null,
    ...(resize !== null && { size: typeof resize === "number" ? { shortest_edge: resize } : exactSize(resize) }),
    resample: RESAMPLE[interpolation],
    do_center_crop: crop !== null,
    ...(crop !== null && { crop_size: exactSize(crop) }),
    do_rescale: scale !== 1,
    rescale_factor: scale,
    do_normalize: mean.some((value) => value !== 0) || std.some((value) => value !== 1),
    image_mean: perChannel(mean),
    image_std: perChannel(std),
    ...(channels === "bgr" && { do_flip_channel_order: true as const }),
  };
}

function exactSize(size: number | PictureSize): { height: number; width: number } {
  const [height, width] = typeof size === "number" ? [size, size] : size;
  return { height, width };
}
