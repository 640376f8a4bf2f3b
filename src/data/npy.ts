/** NumPy's .npy format, versions 1 to 3: one array with its shape and element type. */
import { DataError } from "../errors.ts";
import { arrayOf, byteLength, type DType, elementCount, Tensor } from "../tensor/index.ts";

/** What a .npy file says before its numbers. */
export interface NpyHeader {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** First index fastest, as MATLAB and Fortran store arrays. */
  readonly fortranOrder: boolean;
  readonly bigEndian: boolean;
  /** Bytes before the first number. */
  readonly dataOffset: number;
  /** Bytes of all numbers. */
  readonly dataBytes: number;
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
const LONGEST_HEADER = 1 << 16;

/** Bytes that are certain to hold the header of any array Modicum reads. */
export const NPY_HEADER_LIMIT: number = LONGEST_HEADER + 12;

const DTYPE_OF_DESCRIPTION: ReadonlyMap<string, DType> = new Map<string, DType>([
  ["f2", "float16"],
  ["f4", "float32"],
  ["f8", "float64"],
  ["i1", "int8"],
  ["i2", "int16"],
  ["i4", "int32"],
  ["i8", "int64"],
  ["u1", "uint8"],
  ["u2", "uint16"],
  ["u4", "uint32"],
  ["u8", "uint64"],
  ["b1", "bool"],
  ["c8", "complex64"],
  ["c16", "complex128"],
]);
const DESCRIPTION_OF_DTYPE: ReadonlyMap<DType, string> = new Map(
  [...DTYPE_OF_DESCRIPTION].map(([description, dtype]) => [dtype, description]),
);

/**
 * Reads the header of a .npy file.
 *
 * @param bytes The file, or its first `NPY_HEADER_LIMIT` bytes.
 * @param where Name of the file, for messages.
 * @throws DataError if it is no .npy file or holds objects, strings or records.
 */
export function readNpyHeader(bytes: Uint8Array, where: string): NpyHeader {
  if (bytes.length < 10 || MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw new DataError(`${where}: a .npy file must begin with \\x93NUMPY, got other bytes. It may be truncated.`);
  }
  const version = bytes[6]!;
  if (version < 1 || version > 3) throw new DataError(`${where}: .npy version must be 1, 2 or 3, got ${version}.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = version === 1 ? 10 : 12;
  const length = version === 1 ? view.getUint16(8, true) : bytes.length < 12 ? 0 : view.getUint32(8, true);
  if (length > LONGEST_HEADER || start + length > bytes.length) {
    throw new DataError(`${where}: a .npy header of ${length} bytes must fit in the file, got ${bytes.length} bytes.`);
  }
  return parseHeader(new TextDecoder().decode(bytes.subarray(start, start + length)), start + length, where);
}

function parseHeader(text: string, dataOffset: number, where: string): NpyHeader {
  const description = /'descr'\s*:\s*'([<>|=]?)([a-zA-Z]\d+)'/.exec(text);
  const dtype = DTYPE_OF_DESCRIPTION.get(description?.[2] ?? "");
  if (description === null || dtype === undefined) {
    const got = /'descr'\s*:\s*('[^']*'|\[)/.exec(text)?.[1] ?? "none";
    throw new DataError(
      `${where}: elements must be plain numbers, got ${got === "[" ? "records" : got}. Save a numeric array.`,
    );
  }
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1];
  const axes = /'shape'\s*:\s*\(([\d\s,L]*)\)/.exec(text)?.[1];
  if (order === undefined || axes === undefined) {
    throw new DataError(`${where}: a .npy header must name fortran_order and shape, got ${text.slice(0, 80).trim()}.`);
  }
  const shape = axes
    .split(",")
    .map((axis) => axis.replace("L", "").trim())
    .filter((axis) => axis !== "")
    .map(Number);
  const count = elementCount(shape);
  if (shape.length > 32 || !shape.every(Number.isSafeInteger) || !Number.isSafeInteger(count * 16)) {
    throw new DataError(`${where}: shape must be that of an array in memory, got (${axes.slice(0, 80)}).`);
  }
  return {
    dtype,
    shape,
    fortranOrder: order === "True",
    bigEndian: description[1] === ">",
    dataOffset,
    dataBytes: byteLength(dtype, count),
  };
}

/**
 * Reads a .npy file: every numeric type, either byte order, C or Fortran order (returned row-major, native order).
 *
 * @param where Name of the file, for messages.
 * @throws DataError if it is no .npy file, holds objects, strings or records, or has too few or too many bytes.
 */
export function readNpy(bytes: Uint8Array, where: string): Tensor {
  const header = readNpyHeader(bytes, where);
  if (bytes.length - header.dataOffset !== header.dataBytes) {
    throw new DataError(
      `${where}: ${header.dtype} of shape [${header.shape.join(", ")}] must take ${header.dataBytes} bytes, ` +
        `got ${bytes.length - header.dataOffset}.`,
    );
  }
  const tensor = npyElements(header, header.shape, bytes.subarray(header.dataOffset));
  return header.fortranOrder ? toRowMajor(tensor) : tensor;
}

/**
 * Returns elements of a .npy file as a tensor, in the order they are stored.
 *
 * @param bytes Exactly the elements of `shape`; copied.
 */
export function npyElements(header: NpyHeader, shape: readonly number[], bytes: Uint8Array): Tensor {
  const copy = new Uint8Array(bytes); // slice() of a Node Buffer would not copy
  const parts = header.dtype.startsWith("complex") ? 2 : 1;
  const width = byteLength(header.dtype, 1) / parts;
  if (header.bigEndian && width > 1) {
    for (let i = 0; i < copy.length; i += width) copy.subarray(i, i + width).reverse();
  }
  return new Tensor(header.dtype, shape, new (arrayOf(header.dtype))(copy.buffer));
}

/** Reorders data whose first index runs fastest into row-major order. */
function toRowMajor(tensor: Tensor): Tensor {
  const { shape, dtype } = tensor;
  const source = tensor.data as Float64Array; // any numeric array: only elements are moved
  const parts = dtype.startsWith("complex") ? 2 : 1;
  const target = new (arrayOf(dtype))(source.length) as Float64Array;
  const strides: number[] = [];
  let stride = 1;
  for (const length of shape) {
    strides.push(stride);
    stride *= length;
  }
  const index = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < tensor.size; to++) {
    for (let part = 0; part < parts; part++) target[to * parts + part] = source[from * parts + part]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return new Tensor(dtype, shape, target);
}

/**
 * Writes a tensor as a .npy file (version 1, C order, little-endian), readable by NumPy.
 *
 * @throws DataError for element types NumPy does not have: bfloat16, strings, and everything below 8 bits or of 8-bit floats.
 */
export function writeNpy(tensor: Tensor): Uint8Array {
  const description = DESCRIPTION_OF_DTYPE.get(tensor.dtype);
  if (description === undefined || tensor.dtype === "string") {
    throw new DataError(`writeNpy: element type must be one NumPy has, got ${tensor.dtype}. Convert it first.`);
  }
  const order = byteLength(tensor.dtype, 1) === 1 ? "|" : "<";
  const axes = tensor.shape.length === 1 ? `${tensor.shape[0]},` : tensor.shape.join(", ");
  const text = `{'descr': '${order}${description}', 'fortran_order': False, 'shape': (${axes}), }`;
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10; // NumPy aligns the numbers to 64 bytes
  const data = tensor.data as Uint8Array;
  const bytes = new Uint8Array(10 + length + data.byteLength);
  bytes.set([...MAGIC, 1, 0, length & 0xff, length >> 8]);
  bytes.set(new TextEncoder().encode(`${text.padEnd(length - 1)}\n`), 10);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 10 + length);
  return bytes;
}
