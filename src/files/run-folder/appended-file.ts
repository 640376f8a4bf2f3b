/** A file that grows at its end. */
import { type FileHandle, open } from "node:fs/promises";
import { toFileError } from "../file-errors.ts";

/** A file that is only appended to, and cut. Its methods must not be called before the one called last has returned. */
export class AppendedFile {
  readonly path: string;
  readonly #file: FileHandle;
  #sizeBytes: number;

  private constructor(path: string, file: FileHandle, sizeBytes: number) {
    this.path = path;
    this.#file = file;
    this.#sizeBytes = sizeBytes;
  }

  /** Makes a file. @throws FileError if there is one already, or if none can be made. */
  static create(path: string): Promise<AppendedFile> {
    return AppendedFile.#open(path, "ax");
  }

  /** Opens a file, made if there is none. @throws FileError if it cannot be written. */
  static open(path: string): Promise<AppendedFile> {
    return AppendedFile.#open(path, "a");
  }

  static async #open(path: string, flags: "a" | "ax"): Promise<AppendedFile> {
    try {
      const file = await open(path, flags);
      return new AppendedFile(path, file, (await file.stat()).size);
    } catch (cause) {
      throw toFileError(path, "writable", cause);
    }
  }

  /** Bytes written so far. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Writes bytes at the end. @throws FileError if not all of them can be written; then none of them counts. */
  async append(bytes: Uint8Array): Promise<void> {
    try {
      for (let done = 0; done < bytes.length; ) done += (await this.#file.write(bytes, done)).bytesWritten;
      this.#sizeBytes += bytes.length;
    } catch (cause) {
      await this.#file.truncate(this.#sizeBytes).catch(() => {});
      throw toFileError(this.path, "writable", cause);
    }
  }

  /** Drops what comes after the first `sizeBytes` bytes. @throws FileError if the file cannot be written. */
  async cut(sizeBytes: number): Promise<void> {
    if (sizeBytes >= this.#sizeBytes) return;
    try {
      await this.#file.truncate(sizeBytes);
      this.#sizeBytes = sizeBytes;
    } catch (cause) {
      throw toFileError(this.path, "writable", cause);
    }
  }

  /** Waits until everything is on the disk. @throws FileError if that fails. */
  async flush(): Promise<void> {
    try {
      await this.#file.sync();
    } catch (cause) {
      throw toFileError(this.path, "writable", cause);
    }
  }

  /** Closes the file. */
  async close(): Promise<void> {
    await this.#file.close();
  }
}
