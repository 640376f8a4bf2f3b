/** Looking at picture files before they are trained on. */
import { relative } from "node:path";
import { DataError } from "../../errors.ts";
import { mapConcurrently } from "./map-concurrently.ts";

/** Files at a time: enough to keep all of sharp's threads busy. */
const CONCURRENT = 32;

/** Faulty files that a message names; the others are counted. */
const MOST_NAMED = 5;

/** How pictures are looked at. */
export interface PictureCheckOptions {
  /** Their folder, for messages. */
  readonly where: string;
  /** Side they will be resized to; undefined: they must be of one size. */
  readonly size: number | undefined;
  /** Whether faulty ones are left out, rather than an error. */
  readonly skipUnreadable: boolean;
  /** Whether pictures are decoded to their end, rather than their headers read. */
  readonly decodeAll: boolean;
}

/** What was found. */
export interface PictureCheck {
  /** Height and width of the first picture. */
  readonly side: readonly [number, number];
  /** Paths of files that cannot be read, or are of another size. */
  readonly unreadable: ReadonlySet<string>;
}

/**
 * Looks at all pictures: whether they can be read, and whether they are of one size unless they are resized.
 *
 * @throws DataError naming the first faulty ones and counting all, unless they are to be left out; or if none is left.
 */
export async function checkPictures(paths: readonly string[], options: PictureCheckOptions): Promise<PictureCheck> {
  const { where, size, skipUnreadable, decodeAll } = options;
  const found = await mapConcurrently(paths.length, CONCURRENT, (index) => lookAt(paths[index]!, decodeAll));
  const first = found.findIndex((one) => typeof one !== "string");
  const named = (index: number): string => relative(where, paths[index]!);
  const faults = new Map<number, string>();
  const side = (found[first] ?? [0, 0]) as readonly [number, number];
  for (const [index, one] of found.entries()) {
    if (typeof one === "string") faults.set(index, `${named(index)}: ${one}`);
    else if (size === undefined && one.join() !== side.join()) faults.set(index, `${named(index)}: ${one.join(" x ")}`);
  }
  if (first < 0 || (faults.size > 0 && !skipUnreadable)) {
    const list = [...faults.values()].slice(0, MOST_NAMED).join("; ");
    const more = faults.size > MOST_NAMED ? `; and ${faults.size - MOST_NAMED} more` : "";
    const must =
      size === undefined && first >= 0 ? `whole and of ${side.join(" x ")} pixels, as ${named(first)} is` : "whole";
    throw new DataError(
      `${where}: all ${paths.length} pictures must be ${must}, got ${faults.size} that ${faults.size === 1 ? "is" : "are"} not (${list}${more}). ` +
        `Repair or remove them, or skip them${size === undefined ? "; or give a size to resize to" : ""}.`,
    );
  }
  return { side, unreadable: new Set([...faults.keys()].map((index) => paths[index]!)) };
}

/** Returns height and width, or why the picture cannot be read. */
async function lookAt(path: string, decodeAll: boolean): Promise<readonly [number, number] | string> {
  const { default: sharp } = await import("sharp");
  try {
    const picture = sharp(path, { failOn: "warning", autoOrient: true });
    const { autoOrient } = await picture.metadata();
    // Not picture.stats(): under load, it misses the missing end of one file in three.
    if (decodeAll) await picture.raw().toBuffer();
    return [autoOrient.height, autoOrient.width];
  } catch (cause) {
    return (cause as Error).message.split("\n")[0]!.replace(`${path}: `, "").trim();
  }
}
