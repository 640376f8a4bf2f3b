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
 * @param where How messages begin: the model's path.
 * @throws ModelFormatError from its methods, as ExternalDataSource says; FileError if the operating system refuses to read.
 */
export function externalFromFolder(folder: string, where: string): ExternalDataSource {
  const place: Place = { folder, where };
  return {
    sizeBytes: (location) => withFile(place, location, (_, sizeBytes) => sizeBytes),
    read: (location, offset, length) =>
      withFile(place, location, (file, sizeBytes) => {
        const count = length ?? sizeBytes - offset;
        if (count < 0 || offset + count > sizeBytes) {
          throw new ModelFormatError(
            `${where}: the weight file "${location}" must have bytes ${offset} to ${offset + count}, got only ${sizeBytes}.`,
          );
        }
        return readBytes(file, offset, count, `${where}: the weight file "${location}"`);
      }),
  };
}

interface Place {
  readonly folder: string;
  readonly where: string;
}

function withFile<T>(place: Place, location: string, action: (file: number, sizeBytes: number) => T): T {
  let file: number | undefined;
  try {
    file = openSync(resolveInside(place, location), "r");
    const status = fstatSync(file);
    if (!status.isFile())
      throw new ModelFormatError(`${place.where}: the weight file "${location}" must be a file, got something else.`);
    return action(file, status.size);
  } catch (error) {
    throw readingError(error, place, location);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function resolveInside({ folder, where }: Place, location: string): string {
  const parts = location.split(/[/\\]/);
  const isAbsolute = path.posix.isAbsolute(location) || path.win32.isAbsolute(location) || /^[A-Za-z]:/.test(location);
  if (isAbsolute || parts.includes("..") || location.includes("\0")) {
    throw new ModelFormatError(
      `${where}: the location of weights must be a path inside the model's folder, got "${location.slice(0, 200)}". ` +
        `Put the file beside the model and export again.`,
    );
  }
  const root = realpathSync(folder);
  const real = realpathSync(path.join(root, ...parts));
  if (!real.startsWith(root.endsWith(path.sep) ? root : root + path.sep)) {
    throw new ModelFormatError(
      `${where}: the weight file "${location}" must lie inside the model's folder, got a link to ${real}.`,
    );
  }
  return real;
}

function readBytes(file: number, offset: number, count: number, what: string): Uint8Array {
  const bytes = new Uint8Array(count);
  let done = 0;
  while (done < count) {
    const got = readSync(file, bytes, done, Math.min(READ_BYTES, count - done), offset + done);
    if (got === 0) throw new FileError(`${what} must not change while it is read, got its end.`);
    done += got;
  }
  return bytes;
}

function readingError(error: unknown, { folder, where }: Place, location: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "ENOTDIR") {
    return new ModelFormatError(
      `${where}: the weight file "${location}" must be in the model's folder ${folder}, got none. ` +
        `Keep it beside the model.`,
      { cause: error },
    );
  }
  if (code === undefined || !("syscall" in (error as object))) return error;
  return new FileError(`${where}: the weight file "${location}" must be readable, got ${code}.`, { cause: error });
}
