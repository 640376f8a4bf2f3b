/** Where a tensor outside the message lies: the external_data entries of a TensorProto. */
import { ModelFormatError } from "../errors.ts";
import type { TensorProto } from "./generated/onnx_pb.ts";
import { metadataOf } from "./source-record.ts";

/** A piece of a file beside the model. */
export interface ExternalReference {
  readonly location: string;
  readonly offset: number;
  /** Bytes; undefined means up to the file's end. */
  readonly length: number | undefined;
}

/** Reads where a tensor's data lie. @throws ModelFormatError if the file does not say so, or says nonsense. */
export function externalReference(proto: TensorProto, where: string): ExternalReference {
  const entries = metadataOf(proto.externalData);
  const location = entries.get("location");
  if (!location) throw new ModelFormatError(`${where}: external data must name their location, got none.`);
  return {
    location,
    offset: readNumber(entries.get("offset"), "offset", where) ?? 0,
    length: readNumber(entries.get("length"), "length", where),
  };
}

function readNumber(text: string | undefined, key: string, where: string): number | undefined {
  if (text === undefined) return undefined;
  const value = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) {
    throw new ModelFormatError(`${where}: ${key} of external data must be a whole number of bytes, got "${text}".`);
  }
  return value;
}
