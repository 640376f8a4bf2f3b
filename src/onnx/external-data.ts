/** The contract through which weights outside the model's own message are read. */

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
