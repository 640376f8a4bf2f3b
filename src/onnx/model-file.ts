/** What an ONNX model is on disk or on the wire: one message, and for big models the files its weights lie in. */

/** A file of weights beside a model. */
export interface ExternalFile {
  /** Path relative to the model's folder, with forward slashes. */
  readonly location: string;
  readonly sizeBytes: number;
  /** Returns the content, piece by piece, so that it never has to be in memory at once. */
  chunks(): Iterable<Uint8Array>;
}

/** A serialized model. */
export interface ModelFile {
  /** The ModelProto message. */
  readonly bytes: Uint8Array;
  /** Weight files the message refers to; empty for most models. */
  readonly external: readonly ExternalFile[];
}

/** Returns the bytes of a model with everything that belongs to it. */
export function modelSizeBytes(file: ModelFile): number {
  return file.external.reduce((sum, external) => sum + external.sizeBytes, file.bytes.byteLength);
}
