/**
 * The error classes of Modicum. Every message reads `<where>: <what must hold>, got <what came>. <remedy>`.
 *
 * `code` is a literal for programs to switch on; `cause` keeps a wrapped failure. Anything else that is thrown is a bug
 * of ours and starts with `internal:`.
 */

/** Any failure Modicum reports on purpose: its message is meant for the user as it stands. */
export abstract class ModicumError extends Error {
  abstract readonly code: string;
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** A shape does not fit: wrong rank, length or broadcast. */
export class ShapeError extends ModicumError {
  readonly code = "shape";
}

/** An element type does not fit. */
export class DTypeError extends ModicumError {
  readonly code = "dtype";
}

/** An option, flag or argument is unknown or out of range: a mistake in usage. */
export class OptionError extends ModicumError {
  readonly code = "option";
}

/** A file is not a valid ONNX model (or refers outside its own folder). */
export class ModelFormatError extends ModicumError {
  readonly code = "model-format";
}

/** A valid model asks for something that this version cannot do. */
export class UnsupportedError extends ModicumError {
  readonly code = "unsupported";
}

/** Data (pictures, arrays, labels) are missing, unreadable or do not fit the model. */
export class DataError extends ModicumError {
  readonly code = "data";
}

/** A file could not be read or written. */
export class FileError extends ModicumError {
  readonly code = "file";
}

/** ONNX Runtime refused a model or failed while running it. */
export class RuntimeFailure extends ModicumError {
  readonly code = "runtime";
}
