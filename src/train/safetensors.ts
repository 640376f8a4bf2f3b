/** The safetensors format: named tensors in one file that any language reads. https://github.com/huggingface/safetensors */
import { DataError } from "../errors.ts";
import { arrayOf, type DType, elementCount, Tensor } from "../tensor/index.ts";

/** Element types by their names in the format. */
const NAMES = {
  F64: "float64",
  F32: "float32",
  F16: "float16",
  BF16: "bfloat16",
  I64: "int64",
  I32: "int32",
  I16: "int16",
  I8: "int8",
  U64: "uint64",
  U32: "uint32",
  U16: "uint16",
  U8: "uint8",
  BOOL: "bool",
} as const satisfies Readonly<Record<string, DType>>;

/** Headers above this size are no headers: the format's own limit. */
const MAX_HEADER_BYTES = 100_000_000;

/**
 * Writes tensors as a safetensors file: the length of a JSON header, the header, the numbers. Variables of a training, for
 * example, to go on with later: `compile(step, { runtime, variables: readSafetensors(bytes) })`.
 *
 * @throws DataError for element types the format does not have (strings, 4-bit integers).
 * @example
 * await writeFile("checkpoint.safetensors", writeSafetensors(training.variables));
 */
export function writeSafetensors(tensors: Readonly<Record<string, Tensor>>): Uint8Array {
  const header: Record<string, { dtype: string; shape: readonly number[]; data_offsets: [number, number] }> = {};
  let end = 0;
  // Widest first, so that all numbers are aligned, as the reference implementation writes them.
  const entries = Object.entries(tensors).sort(([, a], [, b]) => widthOf(b) - widthOf(a));
  for (const [name, tensor] of entries) {
    const dtype = Object.entries(NAMES).find(([, ours]) => ours === tensor.dtype)?.[0];
    if (dtype === undefined)
      throw new DataError(`writeSafetensors: "${name}" must be of a type the format has, got ${tensor.dtype}.`);
    const start = end;
    end += tensor.sizeBytes;
    header[name] = { dtype, shape: tensor.shape, data_offsets: [start, end] };
  }
  const text = JSON.stringify(header);
  const json = new TextEncoder().encode(
    text.padEnd(text.length + ((8 - (new TextEncoder().encode(text).length % 8)) % 8)),
  );
  const bytes = new Uint8Array(8 + json.length + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  let at = 8 + json.length;
  for (const [, { data }] of entries) {
    const { buffer, byteOffset, byteLength } = data as Float32Array;
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at);
    at += byteLength;
  }
  return bytes;
}

function widthOf({ sizeBytes, size }: Tensor): number {
  return size === 0 ? 0 : sizeBytes / size;
}

/**
 * Reads the tensors of a safetensors file.
 *
 * @throws DataError if the bytes are no such file: cut off, with an absurd header, or with tensors that do not fit.
 * @example
 * const training = await compile(step, { runtime, variables: readSafetensors(await readFile("checkpoint.safetensors")) });
 */
export function readSafetensors(bytes: Uint8Array): Record<string, Tensor> {
  const fail = (must: string): never => {
    throw new DataError(`readSafetensors: ${must}. Is the file whole, and a safetensors file?`);
  };
  if (bytes.length < 8) return fail(`a file must have at least 8 bytes, got ${bytes.length}`);
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES || 8n + length > bytes.length)
    return fail(`the header must lie inside the file (${bytes.length} bytes), got a length of ${length}`);
  const start = 8 + Number(length);
  const header = parseHeader(bytes.subarray(8, start), fail);
  const body = bytes.subarray(start);
  const tensors: Record<string, Tensor> = {};
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
    const ours = NAMES[dtype as keyof typeof NAMES];
    const isCount = (number: unknown): number is number => Number.isSafeInteger(number) && (number as number) >= 0;
    if (ours === undefined || !Array.isArray(shape) || !shape.every(isCount))
      return fail(`"${name}" must have a known element type and a shape, got ${JSON.stringify(entry)}`);
    const [from, to] = Array.isArray(offsets) && offsets.every(isCount) ? (offsets as [number, number]) : [0, -1];
    const array = arrayOf(ours);
    if (to > body.length || to - from !== elementCount(shape) * array.BYTES_PER_ELEMENT)
      return fail(
        `"${name}" must have ${elementCount(shape)} elements inside the file, got offsets ${JSON.stringify(offsets)}`,
      );
    // A copy of its own: numbers must be aligned, and the file's bytes may go.
    tensors[name] = new Tensor(ours, shape, new array(body.slice(from, to).buffer as ArrayBuffer));
  }
  return tensors;
}

function parseHeader(bytes: Uint8Array, fail: (must: string) => never): Readonly<Record<string, unknown>> {
  try {
    const header: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (typeof header === "object" && header !== null && !Array.isArray(header))
      return header as Record<string, unknown>;
  } catch {
    // Reported below.
  }
  return fail("the header must be a JSON object, got something else");
}
