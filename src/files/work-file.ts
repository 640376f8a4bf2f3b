/** Unfinished work in a file, so that an interrupted quantization can go on. */
import { rm } from "node:fs/promises";
import type { WorkStore } from "../quantize/index.ts";
import { writeFileAtomically } from "./atomic-write.ts";
import { toFileError } from "./file-errors.ts";
import { pathKind, readBytes } from "./read-file.ts";

/** Keeps unfinished work in a file, which is always whole. */
export function workFile(path: string): WorkStore {
  return {
    description: path,
    load: async () => ((await pathKind(path)) === undefined ? undefined : readBytes(path)),
    save: (bytes) => writeFileAtomically(path, bytes),
  };
}

/** Removes a file if it is there. @throws FileError if it cannot be removed. */
export async function removeFile(path: string): Promise<void> {
  try {
    await rm(path, { force: true });
  } catch (cause) {
    throw toFileError(path, "writable", cause);
  }
}
