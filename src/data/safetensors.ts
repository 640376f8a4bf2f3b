/** The safetensors format: named tensors and a few strings in one file, read by PyTorch, JAX, Hugging Face's tools and others. */
import { DataError, DTypeError } from "../errors.ts";
import { arrayOf, byteLength, type DType, elementCount, Tensor } from "../tensor/index.ts";

/** What a safetensors file holds. */
export interface Safetensors {
  readonly tensors: Readonly<Record<string, Tensor>>;
  /** Strings by name, such as `{ format: "pt" }`. */
  readonly metadata: Readonly<Record<string, string>>;
}

const NAME_OF_DTYPE: ReadonlyMap<DType, string> = new Map([
  ["float64", "F64"],
  ["float32", "F32"],
  ["float16", "F16"],
  ["bfloat16", "BF16"],
  ["float8e4m3fn", "F8_E4M3"],
  ["float8e5m2", "F8_E5M2"],
  ["int64", "I64"],
  ["int32", "I32"],
  ["int16", "I16"],
  ["int8", "I8"],
  ["uint64", "U64"],
  ["uint32", "U32"],
  ["uint16", "U16"],
  ["uint8", "U8"],
  ["bool", "BOOL"],
]);
const DTYPE_OF_NAME: ReadonlyMap<string, DType> = new Map([...NAME_OF_DTYPE].map(([dtype, name]) => [name, dtype]));

const METADATA = "__metadata__";

/** The format's own limit, against files that only claim to be of it. */
const LONGEST_HEADER = 100_000_000;

/**
 * Reads a safetensors file.
 *
 * @param where Name of the file, for messages.
 * @throws DataError if the file is damaged, or holds an element type that Modicum does not have.
 * @example
 * const { tensors } = readSafetensors(await readFile("model.safetensors"), "model.safetensors");
 */
export function readSafetensors(bytes: Uint8Array, where: string): Safetensors {
  const { header, dataOffset } = readHeader(bytes, where);
  const data = bytes.subarray(dataOffset);
  const { [METADATA]: metadata = {}, ...entries } = header;
  if (!isRecord(metadata) || !Object.values(metadata).every((value) => typeof value === "string")) {
    throw new DataError(`${where}: ${METADATA} must hold strings by name, got ${shortJson(metadata)}.`);
  }
  const parts: [number, number][] = [];
  const tensors = Object.entries(entries).map(([name, entry]) => {
    const { dtype, shape, start, end } = parseEntry(name, entry, where);
    if (end > data.length) {
      throw new DataError(
        `${where}: tensor "${name}" must end within the ${data.length} bytes of data, got ${end}. The file may be truncated.`,
      );
    }
    parts.push([start, end]);
    return [name, new Tensor(dtype, shape, elementsOf(dtype, data.subarray(start, end)))] as const;
  });
  assertWithoutGaps(parts, data.length, where);
  return { tensors: Object.fromEntries(tensors), metadata: metadata as Record<string, string> };
}

/**
 * Writes a safetensors file. Tensors are ordered by the width of their elements, so that each lies at a multiple of it.
 *
 * @throws DTypeError for element types the format does not have (strings, complex numbers, types below 8 bits).
 */
export function writeSafetensors(
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const ordered = Object.entries(tensors).sort(([, a], [, b]) => byteLength(b.dtype, 1) - byteLength(a.dtype, 1));
  let offset = 0;
  const entries = ordered.map(([name, { dtype, shape, sizeBytes }]) => {
    const known = NAME_OF_DTYPE.get(dtype);
    if (known === undefined || name === METADATA) {
      throw new DTypeError(
        `writeSafetensors: tensor "${name}" must be of one of ${[...NAME_OF_DTYPE.keys()].join(", ")}, got ${dtype}.`,
      );
    }
    const start = offset;
    offset += sizeBytes;
    return [name, { dtype: known, shape, data_offsets: [start, offset] }] as const;
  });
  const strings = Object.keys(metadata).length > 0 ? [[METADATA, metadata] as const] : [];
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries([...strings, ...entries])));
  const headerLength = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + headerLength + offset);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength), true);
  bytes.fill(0x20, 8, 8 + headerLength);
  bytes.set(text, 8);
  ordered.reduce((at, [, { data, sizeBytes }]) => {
    const { buffer, byteOffset } = data as Uint8Array;
    bytes.set(new Uint8Array(buffer, byteOffset, sizeBytes), at);
    return at + sizeBytes;
  }, 8 + headerLength);
  return bytes;
}

function readHeader(
  bytes: Uint8Array,
  where: string,
): { readonly header: Record<string, unknown>; readonly dataOffset: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.length < 8 ? -1 : Number(view.getBigUint64(0, true));
  if (length < 2 || length > LONGEST_HEADER || 8 + length > bytes.length) {
    throw new DataError(
      `${where}: a safetensors file must begin with the length of its header, got ${length < 0 ? "less than 8 bytes" : `${length} in a file of ${bytes.length} bytes`}. It may be truncated or of another format.`,
    );
  }
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, 8 + length)));
  } catch (cause) {
    throw new DataError(`${where}: a safetensors header must be JSON, got: ${(cause as Error).message}.`, { cause });
  }
  if (!isRecord(header)) {
    throw new DataError(`${where}: a safetensors header must be a JSON object, got ${shortJson(header)}.`);
  }
  return { header, dataOffset: 8 + length };
}

function parseEntry(
  name: string,
  entry: unknown,
  where: string,
): { readonly dtype: DType; readonly shape: readonly number[]; readonly start: number; readonly end: number } {
  const { dtype: known, shape, data_offsets: offsets } = isRecord(entry) ? entry : {};
  const dtype = DTYPE_OF_NAME.get(String(known));
  if (dtype === undefined) {
    throw new DataError(`${where}: tensor "${name}" must be of a known element type, got ${shortJson(known)}.`);
  }
  if (!isLengths(shape) || !isLengths(offsets) || offsets.length !== 2) {
    throw new DataError(`${where}: tensor "${name}" must have a shape and data_offsets, got ${shortJson(entry)}.`);
  }
  const [start, end] = offsets as [number, number];
  const expected = byteLength(dtype, elementCount(shape));
  if (end - start !== expected) {
    throw new DataError(
      `${where}: tensor "${name}", ${known} of shape [${shape.join(", ")}], must take ${expected} bytes, got ${end - start}.`,
    );
  }
  return { dtype, shape, start, end };
}

/** The format allows no holes and no overlaps. */
function assertWithoutGaps(parts: readonly [number, number][], length: number, where: string): void {
  let at = 0;
  for (const [start, end] of [...parts, [length, length] as const].toSorted(([a, b], [c, d]) => a - c || b - d)) {
    if (start !== at) {
      throw new DataError(
        `${where}: tensors must fill the ${length} bytes of data one after another, got a gap or an overlap at ${at}.`,
      );
    }
    at = end;
  }
}

function elementsOf(dtype: DType, bytes: Uint8Array): Tensor["data"] {
  const copy = bytes.slice();
  return new (arrayOf(dtype))(copy.buffer) as Tensor["data"];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isLengths(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((length) => Number.isSafeInteger(length) && length >= 0);
}

function shortJson(value: unknown): string {
  return (JSON.stringify(value) ?? "nothing").slice(0, 100);
}
