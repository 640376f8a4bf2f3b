/** The contract through which weights outside the model's own message are read. */
import { ModelFormatError } from "../errors.ts";

/**
 * Reads weights that lie outside the ONNX message. files/ implements it for a folder on disk (lazily, refusing paths that
 * leave it), `externalFromMap` for bytes already in memory, as in a browser.
 */
export interface ExternalDataSource {
  /**
   * Returns `length` bytes from `offset` of the file at `location` (relative to the model's folder); the whole rest of the
   * file when `length` is undefined.
   *
   * @throws ModelFormatError if the location is absolute, leaves the folder, does not exist, or is too short.
   */
  read(location: string, offset: number, length: number | undefined): Uint8Array;
  /** Returns the size of a file in bytes. Same errors as `read`. */
  sizeBytes(location: string): number;
}

/** Reads weights from bytes already in memory, by their path relative to the model's folder. */
export function externalFromMap(files: ReadonlyMap<string, Uint8Array>): ExternalDataSource {
  const fileAt = (location: string): Uint8Array => {
    const file = files.get(location) ?? files.get(location.replace(/^(\.\/)+/, ""));
    if (file) return file;
    const given = [...files.keys()].map((name) => `"${name}"`).join(", ") || "none";
    throw new ModelFormatError(`external data: the file "${location}" must be given with the model, got ${given}.`);
  };
  return {
    sizeBytes: (location) => fileAt(location).byteLength,
    read: (location, offset, length) => {
      const file = fileAt(location);
      const end = length === undefined ? file.byteLength : offset + length;
      if (offset <= end && end <= file.byteLength) return file.subarray(offset, end);
      throw new ModelFormatError(
        `external data: "${location}" must have bytes ${offset} to ${end}, got only ${file.byteLength}.`,
      );
    },
  };
}
