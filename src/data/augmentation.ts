/** Changing samples at random, and the random numbers of each. */
import { DataError } from "../errors.ts";
import { type Random, seededRandom, type Tensor } from "../tensor/index.ts";
import type { Sample } from "./dataset.ts";

/**
 * Changes a sample at random, such as `cropAndFlip`. The arrays it gets are its own: it may change their numbers and return
 * the same sample (fastest), or return another.
 */
export type Augmentation = (sample: Sample, random: Random) => Sample;

/** Changes a whole batch at random, such as `mixup`: arrays with a batch axis, labels among them, by name. */
export type BatchAugmentation = (batch: Record<string, Tensor>, random: Random) => Record<string, Tensor>;

/**
 * Returns the random numbers of one sample in one epoch: they depend on these three alone, not on the batch or on what
 * other samples drew. (The three are mixed by the finalizer of MurmurHash3, so that neighbours are unrelated.)
 */
export function sampleRandom(seed: number, epoch: number, index: number): Random {
  return seededRandom(mixed(mixed(mixed(seed) ^ epoch) ^ index));
}

function mixed(x: number): number {
  let h = (x | 0) + 0x9e3779b9;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** A picture as augmentations change it, plane by plane. */
export interface Planes {
  readonly data: Uint8Array | Float32Array;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/**
 * Returns the pictures of a sample: all of its arrays.
 *
 * @param where Name of the augmentation, for messages.
 * @throws DataError unless each is uint8 or float32 [channels, height, width].
 */
export function picturesOf(sample: Sample, where: string): readonly Planes[] {
  return Object.values(sample).map(({ data, shape, dtype }) => {
    const [channels, height, width] = shape;
    const isPlain = (dtype === "uint8" && data instanceof Uint8Array) || data instanceof Float32Array;
    if (shape.length !== 3 || !isPlain) {
      throw new DataError(
        `${where}: pictures must be uint8 or float32 [channels, height, width], got ${dtype} [${shape.join(", ")}].`,
      );
    }
    return { data, channels: channels!, height: height!, width: width! };
  });
}
