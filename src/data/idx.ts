/** The IDX format of MNIST and its family: one array of big-endian numbers. */
import { DataError } from "../errors.ts";
import { arrayOf, byteLength, type DType, elementCount, Tensor } from "../tensor/index.ts";
import { gunzipIfPacked } from "./compressed.ts";

const DTYPE_OF_CODE: ReadonlyMap<number, DType> = new Map<number, DType>([
  [0x08, "uint8"],
  [0x09, "int8"],
  [0x0b, "int16"],
  [0x0c, "int32"],
  [0x0d, "float32"],
  [0x0e, "float64"],
]);

/**
 * Reads an IDX file, gzip-packed or not.
 *
 * @param where Name of the file, for messages.
 * @throws DataError if it is no IDX file or has too few or too many bytes.
 * @see http://yann.lecun.com/exdb/mnist/ (description of the format)
 */
export function readIdx(packed: Uint8Array, where: string): Tensor {
  const bytes = gunzipIfPacked(packed, where);
  const dtype = DTYPE_OF_CODE.get(bytes[2] ?? 0);
  const rank = bytes[3] ?? 0;
  const start = 4 + 4 * rank;
  if (bytes[0] !== 0 || bytes[1] !== 0 || dtype === undefined || rank === 0 || bytes.length < start) {
    throw new DataError(`${where}: must be an IDX file (two zero bytes, type, rank, lengths), got other bytes.`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const expected = byteLength(dtype, elementCount(shape));
  if (bytes.length - start !== expected) {
    throw new DataError(
      `${where}: ${dtype} of shape [${shape.join(", ")}] must take ${expected} bytes, got ${bytes.length - start}.`,
    );
  }
  const data = new Uint8Array(bytes.subarray(start)); // slice() of a Node Buffer would not copy
  const width = byteLength(dtype, 1);
  if (width > 1) for (let i = 0; i < data.length; i += width) data.subarray(i, i + width).reverse();
  return new Tensor(dtype, shape, new (arrayOf(dtype))(data.buffer));
}
