/** The official binary version of CIFAR-10 and CIFAR-100: records of labels and three planes of 32 x 32 bytes. */
import { DataError } from "../errors.ts";

/** Side of a CIFAR picture, pixels. */
export const CIFAR_SIDE = 32;

const PIXEL_BYTES = 3 * CIFAR_SIDE * CIFAR_SIDE;

/** How one record is laid out. */
export interface CifarLayout {
  readonly name: "CIFAR-10" | "CIFAR-100";
  readonly recordBytes: number;
  /** Which byte of a record is the label: CIFAR-100 has the coarse label before the fine one. */
  readonly labelOffset: number;
  readonly classCount: number;
}

/** CIFAR-10: label, pixels. */
export const CIFAR_10: CifarLayout = { name: "CIFAR-10", recordBytes: 1 + PIXEL_BYTES, labelOffset: 0, classCount: 10 };

/** CIFAR-100: coarse label, fine label, pixels; the fine one is used. */
export const CIFAR_100: CifarLayout = {
  name: "CIFAR-100",
  recordBytes: 2 + PIXEL_BYTES,
  labelOffset: 1,
  classCount: 100,
};

/**
 * Returns how many records a file of `sizeBytes` holds.
 *
 * @param where Name of the file, for messages.
 * @throws DataError if it is empty or ends within a record.
 */
export function cifarRecordCount(sizeBytes: number, layout: CifarLayout, where: string): number {
  if (sizeBytes === 0 || sizeBytes % layout.recordBytes !== 0) {
    throw new DataError(
      `${where}: a ${layout.name} file must hold records of ${layout.recordBytes} bytes, got ${sizeBytes} bytes. ` +
        "It may be truncated.",
    );
  }
  return sizeBytes / layout.recordBytes;
}

/**
 * Returns the label of one record.
 *
 * @throws DataError if it is not a class of the data set.
 */
export function cifarLabel(record: Uint8Array, layout: CifarLayout, where: string): number {
  const label = record[layout.labelOffset]!;
  if (label >= layout.classCount) {
    throw new DataError(`${where}: labels must be 0..${layout.classCount - 1}, got ${label}.`);
  }
  return label;
}

/** Returns the pixels of one record, row by row, R G B of each pixel together. */
export function cifarPixels(record: Uint8Array, layout: CifarLayout): Uint8Array {
  const planes = record.subarray(layout.recordBytes - PIXEL_BYTES);
  const plane = CIFAR_SIDE * CIFAR_SIDE;
  const pixels = new Uint8Array(PIXEL_BYTES);
  for (let i = 0; i < plane; i++) {
    pixels[3 * i] = planes[i]!;
    pixels[3 * i + 1] = planes[plane + i]!;
    pixels[3 * i + 2] = planes[2 * plane + i]!;
  }
  return pixels;
}
