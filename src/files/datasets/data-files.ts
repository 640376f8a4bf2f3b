/** Files of data, with their checksums. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { DataError } from "../../errors.ts";
import { pathKind, readBytes } from "../read-file.ts";

/** What an official file must give; the second where that alone was published. */
export type Checksum = { readonly sha256: string } | { readonly md5: string };

/** A file that was read. */
export interface DataFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** Against the official file of that name; "unknown" where no checksum of it was published. */
  readonly checksum: "match" | "differ" | "unknown";
}

/** Reads whole files and keeps a record of them. */
export class DataFiles {
  readonly #known: Readonly<Record<string, Checksum>>;
  readonly #read: DataFile[] = [];

  constructor(known: Readonly<Record<string, Checksum>> = {}) {
    this.#known = known;
  }

  /** Reads a file. @throws FileError if it cannot be read. */
  async read(path: string): Promise<Uint8Array> {
    const bytes = await readBytes(path);
    const digest = (algorithm: string): string => createHash(algorithm).update(bytes).digest("hex");
    const sha256 = digest("sha256");
    const known = this.#known[basename(path)];
    const isSame = known && ("sha256" in known ? known.sha256 === sha256 : known.md5 === digest("md5"));
    const checksum = known === undefined ? "unknown" : isSame ? "match" : "differ";
    this.#read.push({ path, sizeBytes: bytes.length, sha256, checksum });
    return bytes;
  }

  /** The files in the order they were read. */
  get files(): readonly DataFile[] {
    return this.#read;
  }

  /** SHA-256 over the names and contents of all files read, wherever they lie. */
  get fingerprint(): string {
    return fingerprintOf(this.#read.map(({ path, sha256 }) => `${basename(path)} ${sha256}`));
  }
}

/** Returns the SHA-256 of lines, whatever their order. */
export function fingerprintOf(lines: readonly string[]): string {
  return createHash("sha256").update(lines.toSorted().join("\n")).digest("hex");
}

/**
 * Returns the paths of the files of a data set, in `folder` or in the folder of their archive within it.
 *
 * @param names For each file the names it may have, the usual one first.
 * @param options.archiveFolder What the official archive unpacks to.
 * @param options.obtain How to get the files, for the message.
 * @throws DataError naming all that are missing.
 */
export async function findFiles(
  folder: string,
  names: readonly (readonly string[])[],
  { archiveFolder, obtain }: { readonly archiveFolder?: string; readonly obtain: string },
): Promise<readonly string[]> {
  const kind = await pathKind(folder);
  if (kind !== "folder") {
    throw new DataError(`${folder}: must be the folder of the data, got ${kind ?? "nothing there"}. ${obtain}`);
  }
  const pathIn = (place: string, alternatives: readonly string[]): string | undefined =>
    alternatives.map((name) => join(place, name)).find((path) => existsSync(path));
  const places = archiveFolder === undefined ? [folder] : [folder, join(folder, archiveFolder)];
  const place = places.find((one) => names.some((alternatives) => pathIn(one, alternatives))) ?? folder;
  const missing = names.filter((alternatives) => pathIn(place, alternatives) === undefined);
  if (missing.length > 0) {
    const all = names.map(([name]) => name).join(", ");
    const came = missing.length === names.length ? "none of them" : `no ${missing.map(([name]) => name).join(", ")}`;
    throw new DataError(`${place}: must hold ${all}, got ${came}. ${obtain}`);
  }
  return names.map((alternatives) => pathIn(place, alternatives)!);
}
