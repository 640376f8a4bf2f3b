/** The standard augmentation of small pictures: shifts and mirror images. */
import { DataError } from "../errors.ts";
import { Tensor } from "../tensor/index.ts";
import type { Augmentation } from "./training-batches.ts";

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
 * Shapes: every float array of the sample is [channels, height, width] before and after.
 *
 * @throws DataError (when used) if a sample is not such a picture.
 */
export function cropAndFlip({ padding = 4, flip = true }: CropAndFlipOptions = {}): Augmentation {
  return (sample, random) =>
    Object.fromEntries(
      Object.entries(sample).map(([name, picture]) => {
        const shift = (): number => random.integer(2 * padding + 1) - padding;
        const [down, right] = [shift(), shift()];
        return [name, moved(picture, { down, right, mirrored: flip && random.integer(2) === 1 })];
      }),
    );
}

function moved(picture: Tensor, move: { down: number; right: number; mirrored: boolean }): Tensor {
  const { data, shape, dtype } = picture;
  const [channels, height, width] = shape;
  if (shape.length !== 3 || !(data instanceof Float32Array)) {
    throw new DataError(
      `cropAndFlip: pictures must be float32 [channels, height, width], got ${dtype} [${shape.join(", ")}].`,
    );
  }
  const result = new Float32Array(data.length);
  for (let channel = 0; channel < channels!; channel++) {
    for (let y = 0; y < height!; y++) {
      const from = y - move.down;
      if (from < 0 || from >= height!) continue;
      const [source, target] = [(channel * height! + from) * width!, (channel * height! + y) * width!];
      for (let x = 0; x < width!; x++) {
        const column = (move.mirrored ? width! - 1 - x : x) - move.right;
        if (column >= 0 && column < width!) result[target + x] = data[source + column]!;
      }
    }
  }
  return new Tensor("float32", shape, result);
}
