/** Writing files so that they are there whole or not at all. */
import { randomBytes } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { FileError } from "../errors.ts";
import { toFileError } from "./file-errors.ts";
import { pathKind } from "./read-file.ts";

/** A file that is to be written. */
export interface NewFile {
  readonly path: string;
  /** Called once; the pieces are written as they come, so that they never have to be in memory at once. */
  chunks(): Iterable<Uint8Array>;
}

/**
 * Writes a file under a temporary name in its folder, flushes it to the disk, and renames it: other processes see the old
 * file or the new one, and a full disk or a crash leaves nothing half-written. An existing file is replaced.
 *
 * @throws FileError if the file cannot be written; nothing is left behind then.
 */
export async function writeFileAtomically(path: string, content: Uint8Array | string): Promise<void> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  await writeFilesAtomically([{ path, chunks: () => [bytes] }]);
}

/**
 * Writes several files that belong together: all under temporary names first, and renamed only when the last byte is on the
 * disk, in the order given. Put the file that refers to the others last.
 *
 * @throws FileError if one of them cannot be written, or is a folder; then none is replaced.
 */
export async function writeFilesAtomically(files: readonly NewFile[]): Promise<void> {
  const written: { readonly temporary: string; readonly path: string }[] = [];
  try {
    for (const file of files) {
      if ((await pathKind(file.path)) === "folder") {
        throw new FileError(`${file.path}: must be a file to write to, got a folder.`);
      }
      const folder = dirname(file.path);
      const temporary = join(folder, `.${basename(file.path)}.${randomBytes(6).toString("hex")}.tmp`);
      written.push({ temporary, path: file.path });
      await writeChunks(temporary, file);
    }
    for (const { temporary, path } of written) {
      try {
        await rename(temporary, path);
      } catch (cause) {
        throw toFileError(path, "writable", cause);
      }
    }
  } catch (error) {
    await Promise.all(written.map(({ temporary }) => rm(temporary, { force: true })));
    throw error;
  }
  for (const folder of new Set(files.map(({ path }) => dirname(path)))) await flushFolder(folder);
}

async function writeChunks(temporary: string, { path, chunks }: NewFile): Promise<void> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(temporary, "wx");
  } catch (cause) {
    throw toFileError(path, "writable", cause);
  }
  try {
    for (const chunk of chunks()) {
      // One call may write less than it is given, and no more than 2 GiB.
      for (let done = 0; done < chunk.length; ) {
        const length = Math.min(chunk.length - done, 2 ** 30);
        done += (await file.write(chunk, done, length)).bytesWritten;
      }
    }
    await file.sync();
  } catch (cause) {
    throw toFileError(path, "writable", cause);
  } finally {
    await file.close();
  }
}

/** Makes the renaming itself durable, where the system lets folders be flushed. */
async function flushFolder(folder: string): Promise<void> {
  const handle = await open(folder).catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close();
}

/** Makes a folder and those above it, as far as they are missing. @throws FileError if it cannot be made. */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (cause) {
    throw toFileError(path, "writable", cause);
  }
}
