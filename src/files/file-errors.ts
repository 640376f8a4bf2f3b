/** What the operating system says about files, in words. */
import { FileError } from "../errors.ts";

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file or folder",
  EACCES: "no permission",
  EPERM: "no permission",
  EISDIR: "a folder",
  ENOTDIR: "a path through something that is no folder",
  ENOSPC: "no space left on the disk",
  EDQUOT: "no space left in the quota",
  EROFS: "a read-only file system",
  EMFILE: "too many open files",
  ERR_FS_FILE_TOO_LARGE: "a file of more than 2 GiB",
  ENAMETOOLONG: "a name that is too long",
};

/** Makes a FileError of a failed attempt to read (or write) `path`; errors of ours pass through. */
export function toFileError(path: string, action: "readable" | "writable", cause: unknown): Error {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  if (typeof code !== "string" || (cause as Error).name.endsWith("FileError")) return cause as Error;
  return new FileError(`${path}: must be ${action}, got ${REASONS[code] ?? code}.`, { cause });
}
