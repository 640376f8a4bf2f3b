/** Squares cut out of pictures. */
import { OptionError } from "../errors.ts";
import { type Augmentation, picturesOf } from "./augmentation.ts";

/** What is cut out. */
export interface CutoutOptions {
  /** Side of the square in pixels. DeVries and Taylor take 16 for CIFAR-10 and 8 for CIFAR-100. */
  readonly size: number;
  /**
   * What is put in its place: one number, or one for each channel. Default 0. (In the paper it is the mean: for bytes that are
   * normalized in the program, give `mean / scale`.)
   */
  readonly fill?: number | readonly number[];
}

/**
 * Returns an augmentation that fills a square of each picture; its centre is anywhere in the picture, so that part of the
 * square may lie outside.
 *
 * Shapes: every array of the sample is uint8 or float32 [channels, height, width] before and after.
 *
 * @throws OptionError if the size is not a whole number above zero. DataError (when used) if a sample is no such picture.
 * @see DeVries, Taylor 2017, "Improved Regularization of Convolutional Neural Networks with Cutout", arXiv:1708.04552
 */
export function cutout({ size, fill = 0 }: CutoutOptions): Augmentation {
  if (!Number.isInteger(size) || size < 1) {
    throw new OptionError(`cutout: size must be a whole number above zero, got ${size}.`);
  }
  return (sample, random) => {
    for (const { data, channels, height, width } of picturesOf(sample, "cutout")) {
      const top = random.integer(height) - (size >> 1);
      const left = random.integer(width) - (size >> 1);
      const [from, to] = [Math.max(0, left), Math.min(width, left + size)];
      for (let channel = 0; channel < channels; channel++) {
        const value = typeof fill === "number" ? fill : (fill[channel] ?? 0);
        for (let y = Math.max(0, top); y < Math.min(height, top + size); y++) {
          const row = (channel * height + y) * width;
          data.fill(value, row + from, row + to);
        }
      }
    }
    return sample;
  };
}
