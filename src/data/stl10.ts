/** The binary version of STL-10: pictures of three planes of 96 x 96 bytes, each column by column. */
import { DataError } from "../errors.ts";

/** Side of an STL-10 picture, pixels. */
export const STL10_SIDE = 96;

const PLANE = STL10_SIDE * STL10_SIDE;

/**
 * Turns the pictures of a file from columns to rows, in place, and returns how many there are.
 *
 * @param where Name of the file, for messages.
 * @throws DataError if it is empty or ends within a picture.
 */
export function readStl10Pictures(bytes: Uint8Array, where: string): number {
  if (bytes.length === 0 || bytes.length % (3 * PLANE) !== 0) {
    throw new DataError(
      `${where}: an STL-10 file must hold pictures of ${3 * PLANE} bytes, got ${bytes.length} bytes. It may be truncated.`,
    );
  }
  const columns = new Uint8Array(PLANE);
  for (let start = 0; start < bytes.length; start += PLANE) {
    columns.set(bytes.subarray(start, start + PLANE));
    for (let y = 0; y < STL10_SIDE; y++) {
      const row = start + y * STL10_SIDE;
      for (let x = 0; x < STL10_SIDE; x++) bytes[row + x] = columns[x * STL10_SIDE + y]!;
    }
  }
  return bytes.length / (3 * PLANE);
}

/**
 * Returns the classes 0..9 of the labels 1..10 of a file.
 *
 * @throws DataError if there are not `count` labels, or one is not 1..10.
 */
export function readStl10Labels(bytes: Uint8Array, count: number, where: string): Int32Array {
  if (bytes.length !== count) {
    throw new DataError(`${where}: must hold a label for each of ${count} pictures, got ${bytes.length} labels.`);
  }
  const wrong = bytes.findIndex((label) => label < 1 || label > 10);
  if (wrong >= 0) throw new DataError(`${where}: labels must be 1..10, got ${bytes[wrong]} for picture ${wrong}.`);
  return Int32Array.from(bytes, (label) => label - 1);
}
