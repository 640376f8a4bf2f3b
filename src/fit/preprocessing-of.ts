/** What `modicum evaluate` and `quantize` must do to pictures for an exported network. */
import type { PreprocessingSettings } from "../data/index.ts";
import type { DataFacts } from "./build-network.ts";
import type { Recipe } from "./recipe.ts";

/**
 * Returns the preprocessing of a recipe's pictures, for the file beside the exported model: the short side is resized to the
 * network's, the centre cut out, and colours are normalized. Undefined for features, tokens and pictures that are no bytes: the
 * exported network takes those as they are.
 */
export function preprocessingOf(recipe: Recipe, data: DataFacts): PreprocessingSettings | undefined {
  if (data.kind !== "pictures" || data.dtype !== "uint8") return undefined;
  const [channels, height, width] = data.sampleShape as [number, number, number];
  const zeros = Array.from({ length: channels }, () => 0);
  const normalization = recipe.data.normalization ??
    data.normalization ?? { scale: 1, mean: zeros, std: zeros.map(() => 1) };
  const { scale, mean, std } = normalization;
  const isSquare = height === width;
  return {
    resize: isSquare ? height : [height, width],
    crop: isSquare ? height : null,
    interpolation: "bilinear",
    scale,
    mean,
    std,
    layout: "nchw",
    channels: channels === 1 ? "gray" : "rgb",
    dtype: "float32",
  };
}
