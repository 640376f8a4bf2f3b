/** Deciding where the weights of a written model go: into the message, or into files beside it. */
import { OptionError } from "../errors.ts";
import type { Constant, Program } from "../program/index.ts";
import type { ExternalDataSource } from "./external-data.ts";
import { externalReference } from "./external-reference.ts";
import { TensorProto_DataLocation } from "./generated/onnx_pb.ts";
import type { ExternalFile } from "./model-file.ts";
import {
  constantBytes,
  dataOf,
  recordOfConstant,
  type TensorWriter,
  writeAsRead,
  writeInside,
  writeOutside,
} from "./write-constant.ts";

/** See `WriteOptions.externalData`. */
export type ExternalPlacement = "auto" | "keep" | { readonly location: string; readonly thresholdBytes?: number };

/** Weights that take more than this leave no room for the rest of a message of at most 2^31 - 1 bytes. */
const LARGEST_INSIDE_BYTES = 2 ** 31 - 2 ** 26;

/** ONNX recommends offsets at multiples of a memory page, so that files can be mapped. */
const ALIGNMENT_BYTES = 4096;

/** Small tensors stay inside: shape inference needs them. */
const DEFAULT_THRESHOLD_BYTES = 1024;
const CHUNK_BYTES = 2 ** 26;

/** Writes tensors of one model, and then the files they went to. */
export interface TensorPlacement {
  readonly write: TensorWriter;
  /** The files beside the model; call it when all tensors are written. */
  files(): ExternalFile[];
}

/**
 * Returns how to write a program's tensors.
 *
 * @param files.read The weight files the program was read from, if any.
 * @param files.fileName Name of the model's own file.
 * @throws OptionError if the location is unusable.
 */
export function placeTensors(
  program: Program,
  placement: ExternalPlacement,
  files: { readonly read: ExternalDataSource | undefined; readonly fileName: string },
): TensorPlacement {
  if (placement === "keep") return placeAsRead(files.read);
  if (placement !== "auto")
    return placeOutside(placement.location, placement.thresholdBytes ?? DEFAULT_THRESHOLD_BYTES);
  if (totalBytes(program) <= LARGEST_INSIDE_BYTES) return { write: writeInside, files: () => [] };
  return placeOutside(`${files.fileName}_data`, DEFAULT_THRESHOLD_BYTES);
}

function totalBytes(program: Program): number {
  const seen = new Set<Constant>();
  for (const value of program.graph.initializers) if (value.constant) seen.add(value.constant);
  for (const node of program.allNodes()) {
    for (const input of node.inputs) if (input?.constant) seen.add(input.constant);
    for (const attribute of node.attributes.values()) if (attribute.kind === "tensor") seen.add(attribute.value);
  }
  let total = 0;
  for (const constant of seen) total += constantBytes(constant);
  return total;
}

function placeOutside(location: string, thresholdBytes: number): TensorPlacement {
  assertLocation(location);
  const outside: { readonly constant: Constant; readonly offset: number }[] = [];
  let end = 0;
  return {
    write: (constant, name) => {
      if (constant.dtype === "string" || constantBytes(constant) < thresholdBytes) return writeInside(constant, name);
      const offset = Math.ceil(end / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
      outside.push({ constant, offset });
      end = offset + constantBytes(constant);
      return writeOutside(constant, name, location, offset);
    },
    files: () => (outside.length === 0 ? [] : [{ location, sizeBytes: end, chunks: () => chunksOf(outside) }]),
  };
}

/** Readers accept only files inside the model's folder. */
function assertLocation(location: string): void {
  const parts = location.split("/");
  if (location === "" || parts.some((part) => part === "" || part === "..") || /[\\\0]|^[A-Za-z]:/.test(location)) {
    throw new OptionError(
      `writeModel: the location of external data must be a path inside the model's folder with forward slashes, got "${location}".`,
    );
  }
}

function* chunksOf(outside: readonly { constant: Constant; offset: number }[]): Generator<Uint8Array> {
  let position = 0;
  for (const { constant, offset } of outside) {
    if (offset > position) yield new Uint8Array(offset - position);
    const bytes = dataOf(constant);
    yield bytes;
    position = offset + bytes.byteLength;
  }
}

function placeAsRead(external: ExternalDataSource | undefined): TensorPlacement {
  const locations = new Set<string>();
  return {
    write: (constant, name) => {
      const record = recordOfConstant(constant);
      if (record?.dataLocation === TensorProto_DataLocation.EXTERNAL) {
        locations.add(externalReference(record, `writeModel: tensor "${name}"`).location);
      }
      return writeAsRead(constant, name);
    },
    files: () => Array.from(locations, (location) => copiedFile(location, external)),
  };
}

function copiedFile(location: string, external: ExternalDataSource | undefined): ExternalFile {
  if (!external) {
    throw new OptionError(
      `writeModel: the program must still know its weight files to keep them, got none for "${location}".`,
    );
  }
  const sizeBytes = external.sizeBytes(location);
  return {
    location,
    sizeBytes,
    *chunks() {
      for (let offset = 0; offset < sizeBytes; offset += CHUNK_BYTES) {
        yield external.read(location, offset, Math.min(CHUNK_BYTES, sizeBytes - offset));
      }
    },
  };
}
