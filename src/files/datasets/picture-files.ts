/** Picture files as samples: decoded as they are asked for, by threads of their own, and kept in memory as far as it goes. */
import type { Dataset } from "../../data/index.ts";
import { DataError } from "../../errors.ts";
import { Tensor } from "../../tensor/index.ts";
import { putPlanes } from "./stored-pictures.ts";

/** Decoded pictures that are kept, bytes for each data set: 3,500 of 224 x 224, 43,000 of 64 x 64. */
const MOST_KEPT_BYTES = 512 * 2 ** 20;

/** Pictures with their classes. */
export interface PictureFilesOptions {
  readonly description: string;
  readonly paths: readonly string[];
  /** Returns what messages call a file. */
  readonly names: (path: string) => string;
  readonly labels: Int32Array;
  readonly classNames: readonly string[] | undefined;
  /** [3, height, width]. */
  readonly sampleShape: readonly number[];
  /** Whether pictures are resized to that, cut to its shape around their centre; else they must have that size. */
  readonly isResized: boolean;
}

/**
 * Makes a data set `{ x }` of picture files, uint8 [3, height, width], turned upright by their EXIF orientation. sharp decodes
 * in threads of its own. Up to 512 MiB of decoded pictures stay in memory, so that small folders are decoded once.
 */
export function pictureFiles(options: PictureFilesOptions): Dataset {
  const { description, paths, names, labels, classNames, sampleShape } = options;
  const length = sampleShape.reduce((product, one) => product * one, 1);
  const kept = new Map<number, Uint8Array>();
  const planes = async (index: number): Promise<Uint8Array> => {
    const known = kept.get(index);
    if (known) return known;
    const bytes = await decode(paths[index]!, options);
    if ((kept.size + 1) * length <= MOST_KEPT_BYTES) kept.set(index, bytes);
    return bytes;
  };
  return {
    description,
    count: paths.length,
    labels,
    classNames,
    sampleName: (index) => names(paths[index]!),
    sample: async (index) => ({ x: new Tensor("uint8", sampleShape, (await planes(index)).slice()) }),
    async batch(indices) {
      const all = new Uint8Array(indices.length * length);
      await Promise.all(Array.from(indices, async (index, i) => all.set(await planes(index), i * length)));
      return { x: new Tensor("uint8", [indices.length, ...sampleShape], all) };
    },
  };
}

async function decode(path: string, { sampleShape, isResized }: PictureFilesOptions): Promise<Uint8Array> {
  const { default: sharp } = await import("sharp");
  const [, height, width] = sampleShape as [number, number, number];
  try {
    let picture = sharp(path, { ignoreIcc: true, failOn: "warning", autoOrient: true });
    // Shrinking inside the JPEG decoder would be faster, but other than what evaluation does.
    if (isResized) picture = picture.resize({ width, height, fit: "cover", kernel: "linear", fastShrinkOnLoad: false });
    const raw = picture.removeAlpha().toColourspace("srgb").raw({ depth: "uchar" });
    const { data, info } = await raw.toBuffer({ resolveWithObject: true });
    if (info.height !== height || info.width !== width || info.channels !== 3) {
      throw new DataError(
        `${path}: pictures must be of ${height} x ${width} pixels, got ${info.height} x ${info.width}. Did it change?`,
      );
    }
    const planes = new Uint8Array(data.length);
    putPlanes(data, 3, planes);
    return planes;
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    const reason = (cause as Error).message.split("\n")[0]!.trim();
    throw new DataError(
      `${path}: must be a whole picture, got one that cannot be read (${reason}). ` +
        "`modicum data` finds all such pictures of a folder; they can be skipped.",
      { cause },
    );
  }
}
