/** The preprocessing a model gets when nobody says otherwise. */
import { DataError } from "../errors.ts";
import { describeInput, type ModelInput, type PictureInput, pictureInputOf } from "./model-input.ts";
import type { PictureSize, Preprocessing, PreprocessingSettings } from "./preprocessing.ts";

/** Mean and standard deviation of ImageNet's red, green and blue, of values 0..1. */
export const IMAGENET_MEAN: readonly number[] = [0.485, 0.456, 0.406];
/** See `IMAGENET_MEAN`. */
export const IMAGENET_STD: readonly number[] = [0.229, 0.224, 0.225];

/** Pictures of a data set in which all have one size. */
export interface StoredPictures {
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
}

/**
 * Completes preprocessing with defaults drawn from the shape of the model's input.
 *
 * - Channels: three are red, green, blue with ImageNet's mean and std; one is luma with mean 0 and std 1.
 * - Scale 1/255; for an input of whole numbers the bytes go in as they are (scale 1, mean 0, std 1).
 * - Size, picture files: short side 8/7 of the model's side (256 for 224), then a centre crop of the model's side; exactly
 *   the model's side when that is below 64; stretched to the model's size when it is not square; 256 and 224 when the
 *   model leaves its size open.
 * - Size, MNIST family and CIFAR: as stored when that fits or the model leaves it open, else stretched to the model's size.
 *   (So: values 0..1 for MNIST; ImageNet's mean and std for CIFAR. State scale, mean and std where a model wants others.)
 *
 * @param stored Size and channels of the pictures when the data set has only one.
 * @throws DataError if the input takes no pictures, or the settings do not fit it.
 */
export function completePreprocessing(
  settings: PreprocessingSettings,
  input: ModelInput,
  stored?: StoredPictures,
): Preprocessing {
  const shape = pictureShape(input, stored);
  const layout = settings.layout ?? shape.layout;
  const channels = settings.channels ?? (shape.channels === 1 ? "gray" : "rgb");
  const dtype = settings.dtype ?? pictureDType(input);
  const isWhole = !dtype.startsWith("float");
  const normalized = channels !== "gray" && !isWhole;
  const mean = settings.mean ?? (normalized ? inOrder(IMAGENET_MEAN, channels) : [0]);
  const std = settings.std ?? (normalized ? inOrder(IMAGENET_STD, channels) : [1]);
  const crop = settings.crop !== undefined ? settings.crop : defaultCrop(shape, settings.resize, stored);
  const preprocessing: Preprocessing = {
    resize: settings.resize !== undefined ? settings.resize : defaultResize(shape, crop, stored),
    crop,
    interpolation: settings.interpolation ?? "bilinear",
    scale: settings.scale ?? (isWhole ? 1 : 1 / 255),
    mean,
    std,
    layout,
    channels,
    dtype,
  };
  assertFits(preprocessing, input, shape);
  return preprocessing;
}

function inOrder(rgb: readonly number[], channels: "rgb" | "bgr" | "gray"): readonly number[] {
  return channels === "bgr" ? [...rgb].reverse() : rgb;
}

function pictureShape(input: ModelInput, stored: StoredPictures | undefined): PictureInput {
  const shape = pictureInputOf(input);
  if (shape !== undefined) return { ...shape, channels: shape.channels ?? stored?.channels ?? 3 };
  // A flat vector takes the stored pictures when it is as long as they are: a multi-layer perceptron on MNIST.
  const [, length] = input.shape ?? [];
  if (stored !== undefined && input.shape?.length === 2 && length === stored.height * stored.width * stored.channels) {
    return { layout: "nchw", ...stored };
  }
  if (input.shape === undefined) return { layout: "nchw", channels: stored?.channels ?? 3, height: null, width: null };
  throw new DataError(
    `pictures: the model's input must take pictures ([batch, channels, height, width]), got ${describeInput(input)}. ` +
      "Give the inputs as a .npy or .npz file.",
  );
}

function pictureDType(input: ModelInput): Preprocessing["dtype"] {
  const { dtype } = input;
  switch (dtype) {
    case undefined:
      return "float32";
    case "float32":
    case "float16":
    case "float64":
    case "uint8":
    case "int8":
    case "int32":
    case "int64":
      return dtype;
    default:
      throw new DataError(
        `pictures: the model's input must be of a type pictures can be turned into, got ${describeInput(input)}. ` +
          "Give the inputs as a .npy or .npz file.",
      );
  }
}

function defaultCrop(
  { height, width }: PictureInput,
  resize: Preprocessing["resize"] | undefined,
  stored: StoredPictures | undefined,
): Preprocessing["crop"] {
  if (stored !== undefined || (resize !== undefined && resize !== null && typeof resize !== "number")) return null;
  if (height !== null && width !== null)
    return height === width ? height : resize === undefined ? null : [height, width];
  return 224;
}

function defaultResize(
  { height, width }: PictureInput,
  crop: Preprocessing["crop"],
  stored: StoredPictures | undefined,
): Preprocessing["resize"] {
  if (stored !== undefined) {
    const fits = (height ?? stored.height) === stored.height && (width ?? stored.width) === stored.width;
    return fits || crop !== null ? null : [height ?? stored.height, width ?? stored.width];
  }
  if (crop === null) return height === null || width === null ? null : [height, width];
  const cropSide = typeof crop === "number" ? crop : Math.max(...crop);
  const side = height !== null && height === width ? height : 224;
  return Math.max(cropSide, side < 64 ? side : Math.round((side * 8) / 7));
}

function assertFits(preprocessing: Preprocessing, input: ModelInput, shape: PictureInput): void {
  const channelCount = preprocessing.channels === "gray" ? 1 : 3;
  const wanted = preprocessing.layout === shape.layout ? shape.channels : null;
  if (wanted !== null && wanted !== channelCount) {
    throw new DataError(
      `pictures: ${preprocessing.channels} gives ${channelCount} channel${channelCount === 1 ? "" : "s"}, which must be ` +
        `what the model takes, got ${describeInput(input)}.`,
    );
  }
  for (const [name, values] of [["mean", preprocessing.mean] as const, ["std", preprocessing.std] as const]) {
    if (values.length !== 1 && values.length !== channelCount) {
      throw new DataError(
        `pictures: ${name} must have one number or one for each of ${channelCount} channels, got ${values.length}.`,
      );
    }
  }
  const exact = exactSize(preprocessing);
  const { height, width } = shape;
  if (exact && ((height !== null && exact[0] !== height) || (width !== null && exact[1] !== width))) {
    throw new DataError(
      `pictures: resize and crop must give the ${height} x ${width} pixels the model takes, ` +
        `got ${exact[0]} x ${exact[1]}.`,
    );
  }
}

/** The size all pictures will have, when it does not depend on theirs. */
function exactSize({ resize, crop }: Preprocessing): PictureSize | undefined {
  const size = crop ?? resize;
  if (size === null) return undefined;
  if (typeof size !== "number") return size;
  return crop === null ? undefined : [size, size];
}
