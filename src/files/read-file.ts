/** Reading files, whole or in part, with errors that name them. */
import { open, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { FileError } from "../errors.ts";
import { toFileError } from "./file-errors.ts";

/** Reads a whole file, as a plain Uint8Array (a Buffer's `slice` does not copy). @throws FileError if it cannot be read. */
export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    const { buffer, byteOffset, length } = await readFile(path);
    return new Uint8Array(buffer, byteOffset, length);
  } catch (cause) {
    throw toFileError(path, "readable", cause);
  }
}

/** Reads a whole file as UTF-8 text. @throws FileError if it cannot be read. */
export async function readText(path: string): Promise<string> {
  return new TextDecoder().decode(await readBytes(path));
}

/**
 * Reads `length` bytes from `offset`; fewer only where the file ends.
 *
 * @throws FileError if the file cannot be read.
 */
export async function readRange(path: string, offset: number, length: number): Promise<Uint8Array> {
  try {
    const file = await open(path);
    try {
      const bytes = new Uint8Array(length);
      let filled = 0;
      while (filled < length) {
        const { bytesRead } = await file.read(bytes, filled, length - filled, offset + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return bytes.subarray(0, filled);
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw toFileError(path, "readable", cause);
  }
}

/** Returns the size of a file in bytes. @throws FileError if there is none, or if it is a folder. */
export async function fileSize(path: string): Promise<number> {
  const kind = await pathKind(path);
  if (kind !== "file") throw new FileError(`${path}: must be a file, got ${kind ?? "nothing there"}.`);
  return (await stat(path)).size;
}

/** Returns what is at a path; undefined when there is nothing. @throws FileError if that cannot be told. */
export async function pathKind(path: string): Promise<"file" | "folder" | undefined> {
  try {
    return (await stat(path)).isDirectory() ? "folder" : "file";
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw toFileError(path, "readable", cause);
  }
}

/** The names in a folder, sorted by code unit as Python's `sorted` does; hidden ones left out. */
export interface FolderContent {
  readonly files: readonly string[];
  readonly folders: readonly string[];
}

/** Lists a folder, links followed. @throws FileError if it cannot be read. */
export async function listFolder(path: string): Promise<FolderContent> {
  try {
    const files: string[] = [];
    const folders: string[] = [];
    for (const entry of await readdir(path, { withFileTypes: true })) {
      if (entry.name.startsWith(".")) continue;
      const isFolder = entry.isSymbolicLink()
        ? (await pathKind(join(path, entry.name))) === "folder"
        : entry.isDirectory();
      (isFolder ? folders : files).push(entry.name);
    }
    return { files: files.sort(), folders: folders.sort() };
  } catch (cause) {
    throw toFileError(path, "readable", cause);
  }
}
