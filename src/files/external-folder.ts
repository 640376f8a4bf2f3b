/** Weights in files beside a model on disk. */
import { closeSync, fstatSync, openSync, readSync, realpathSync } from "node:fs";
import path from "node:path";
import { FileError, ModelFormatError } from "../errors.ts";
import type { ExternalDataSource } from "../onnx/index.ts";

/** Most bytes asked of the operating system at once; Linux gives no more than 2 GiB - 4 KiB. */
const READ_BYTES = 2 ** 30;

/**
 * Reads weights from files in a model's folder, when they are asked for and only what is asked for.
 *
 * Locations come from the model, which may be hostile: absolute paths, paths with `..`, and links that lead out of the folder
 * are refused.
 *
 * @throws ModelFormatError from its methods, as ExternalDataSource says; FileError if the operating system refuses to read.
 */
export function externalFromFolder(folder: string): ExternalDataSource {
  return {
    sizeBytes: (location) => withFile(folder, location, (_, sizeBytes) => sizeBytes),
    read: (location, offset, length) =>
      withFile(folder, location, (file, sizeBytes) => {
        const count = length ?? sizeBytes - offset;
        if (count < 0 || offset + count > sizeBytes) {
          throw new ModelFormatError(
            `external data: "${location}" must have bytes ${offset} to ${offset + count}, got only ${sizeBytes}.`,
          );
        }
        return readBytes(file, location, offset, count);
      }),
  };
}

function withFile<T>(folder: string, location: string, action: (file: number, sizeBytes: number) => T): T {
  let file: number | undefined;
  try {
    file = openSync(resolveInside(folder, location), "r");
    const status = fstatSync(file);
    if (!status.isFile())
      throw new ModelFormatError(`external data: "${location}" must be a file, got something else.`);
    return action(file, status.size);
  } catch (error) {
    throw readingError(error, folder, location);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function resolveInside(folder: string, location: string): string {
  const parts = location.split(/[/\\]/);
  const isAbsolute = path.posix.isAbsolute(location) || path.win32.isAbsolute(location) || /^[A-Za-z]:/.test(location);
  if (isAbsolute || parts.includes("..") || location.includes("\0")) {
    throw new ModelFormatError(
      `external data: the location must be a path inside the model's folder, got "${location.slice(0, 200)}". ` +
        `Put the file beside the model and export again.`,
    );
  }
  const root = realpathSync(folder);
  const real = realpathSync(path.join(root, ...parts));
  if (!real.startsWith(root.endsWith(path.sep) ? root : root + path.sep)) {
    throw new ModelFormatError(
      `external data: "${location}" must lie inside the model's folder, got a link to ${real}.`,
    );
  }
  return real;
}

function readBytes(file: number, location: string, offset: number, count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  let done = 0;
  while (done < count) {
    const got = readSync(file, bytes, done, Math.min(READ_BYTES, count - done), offset + done);
    if (got === 0) throw new FileError(`external data: "${location}" must not change while it is read, got its end.`);
    done += got;
  }
  return bytes;
}

function readingError(error: unknown, folder: string, location: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "ENOTDIR") {
    return new ModelFormatError(
      `external data: the file "${location}" must be in the model's folder ${folder}, got none. ` +
        `Keep it beside the model.`,
      { cause: error },
    );
  }
  if (code === undefined || !("syscall" in (error as object))) return error;
  return new FileError(`external data: "${location}" must be readable, got ${code}.`, { cause: error });
}
