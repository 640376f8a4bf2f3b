/** Brightness, contrast and saturation at random. */
import { OptionError } from "../errors.ts";
import { type Augmentation, type Planes, picturesOf } from "./augmentation.ts";

/** By how much colours are changed: 0.4 draws a factor from 0.6 to 1.4. Default of each: 0, unchanged. */
export interface ColorJitterOptions {
  readonly brightness?: number;
  readonly contrast?: number;
  readonly saturation?: number;
}

/** Luma of ITU-R BT.601, as in JPEG and Pillow. */
const LUMA = [0.299, 0.587, 0.114] as const;

/**
 * Returns an augmentation that changes brightness, contrast and saturation at random, in this order.
 *
 *   x -> b x;  x -> c x + (1 - c) mean(gray);  x -> s x + (1 - s) gray
 *
 * The three are one pass over the picture; bytes are rounded and clamped at its end. (torchvision's ColorJitter, after
 * Krizhevsky et al. 2012 and Howard, arXiv:1312.5402, clamps after each and draws their order too.) Pictures of one channel
 * have no saturation.
 *
 * Shapes: every array of the sample is uint8 or float32 [1 or 3, height, width] before and after.
 *
 * @throws OptionError if an amount is not in 0..1. DataError (when used) if a sample is no such picture.
 */
export function colorJitter(options: ColorJitterOptions): Augmentation {
  const { brightness = 0, contrast = 0, saturation = 0 } = options;
  for (const [name, amount] of Object.entries({ brightness, contrast, saturation })) {
    if (!(amount >= 0 && amount <= 1)) {
      throw new OptionError(`colorJitter: ${name} must be between 0 and 1, got ${amount}.`);
    }
  }
  return (sample, random) => {
    const factor = (amount: number): number => 1 + amount * (2 * random.uniform() - 1);
    for (const picture of picturesOf(sample, "colorJitter")) {
      jitter(picture, factor(brightness), factor(contrast), factor(saturation));
    }
    return sample;
  };
}

function jitter(picture: Planes, brightness: number, contrast: number, saturation: number): void {
  const plane = picture.height * picture.width;
  const { data } = picture;
  // Assigning to a clamped array rounds and clamps.
  const target = data instanceof Uint8Array ? new Uint8ClampedArray(data.buffer, data.byteOffset, data.length) : data;
  const isColour = picture.channels === 3;
  const gain = brightness * contrast;
  const shift = (1 - contrast) * brightness * meanGray(picture);
  if (!isColour) {
    for (let i = 0; i < data.length; i++) target[i] = gain * data[i]! + shift;
    return;
  }
  const kept = saturation * gain;
  const grayed = (1 - saturation) * gain;
  for (let i = 0; i < plane; i++) {
    const r = data[i]!;
    const g = data[plane + i]!;
    const b = data[2 * plane + i]!;
    const rest = grayed * (LUMA[0] * r + LUMA[1] * g + LUMA[2] * b) + shift;
    target[i] = kept * r + rest;
    target[plane + i] = kept * g + rest;
    target[2 * plane + i] = kept * b + rest;
  }
}

function meanGray({ data, channels, height, width }: Planes): number {
  const plane = height * width;
  let sum = 0;
  for (let channel = 0; channel < channels; channel++) {
    let part = 0;
    for (let i = channel * plane; i < (channel + 1) * plane; i++) part += data[i]!;
    sum += part * (channels === 3 ? LUMA[channel]! : 1 / channels);
  }
  return sum / plane;
}
