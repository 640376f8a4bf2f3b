/** The standard augmentation of small pictures: shifts and mirror images. */
import { type Augmentation, type Planes, picturesOf } from "./augmentation.ts";

/** How pictures are changed. */
export interface CropAndFlipOptions {
  /** Largest shift in each direction, in pixels; what comes in from outside is 0. Default 4. */
  readonly padding?: number;
  /** Whether half of the pictures are mirrored left to right. Default true. */
  readonly flip?: boolean;
}

/**
 * Returns an augmentation that shifts each picture at random by up to `padding` pixels and mirrors half of them: what the
 * CIFAR experiments of He et al. (arXiv:1512.03385, section 4.2) do.
 *
 * Shapes: every array of the sample is uint8 or float32 [channels, height, width] before and after.
 *
 * @throws DataError (when used) if a sample is not such a picture.
 */
export function cropAndFlip({ padding = 4, flip = true }: CropAndFlipOptions = {}): Augmentation {
  return (sample, random) => {
    for (const picture of picturesOf(sample, "cropAndFlip")) {
      const down = random.integer(2 * padding + 1) - padding;
      const right = random.integer(2 * padding + 1) - padding;
      move(picture, { down, right, mirrored: flip && random.integer(2) === 1 });
    }
    return sample;
  };
}

/** Shifts, then mirrors, row by row. */
function move({ data, channels, height, width }: Planes, how: { down: number; right: number; mirrored: boolean }) {
  const { down, right, mirrored } = how;
  if (down === 0 && right === 0 && !mirrored) return;
  const source = data.slice();
  data.fill(0);
  const firstColumn = Math.max(0, -right);
  const lastColumn = Math.min(width, width - right);
  if (lastColumn <= firstColumn) return;
  for (let channel = 0; channel < channels; channel++) {
    for (let y = Math.max(0, down); y < Math.min(height, height + down); y++) {
      const from = (channel * height + y - down) * width;
      const to = (channel * height + y) * width;
      if (mirrored) {
        const end = to + width - 1 - right;
        for (let x = firstColumn; x < lastColumn; x++) data[end - x] = source[from + x]!;
      } else {
        data.set(source.subarray(from + firstColumn, from + lastColumn), to + firstColumn + right);
      }
    }
  }
}
