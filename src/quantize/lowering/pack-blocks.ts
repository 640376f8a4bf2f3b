/** Codes and zero points of blocks as bytes, the way MatMulNBits and GatherBlockQuantized read them. */
import { storedBits } from "../block-format.ts";
import type { BlockWeights } from "../block-weights.ts";

/** Returns the bytes of the codes, [rows, blocks, bytes of a block]; the last block of a row is filled up with zeros' codes. */
export function packCodes(weights: BlockWeights): Uint8Array {
  const { codes, zeroPoints, rows, rowLength, blockSize, blocksPerRow } = weights;
  const padded = new Uint8Array(rows * blocksPerRow * blockSize);
  for (let row = 0; row < rows; row++) {
    const start = row * blocksPerRow * blockSize;
    padded.set(codes.subarray(row * rowLength, (row + 1) * rowLength), start);
    padded.fill(zeroPoints[(row + 1) * blocksPerRow - 1]!, start + rowLength, start + blocksPerRow * blockSize);
  }
  return packRows(padded, blocksPerRow * blockSize, storedBits(weights.bits));
}

/** Returns the bytes of the zero points, [rows, bytes of a row]. */
export function packZeroPoints({ zeroPoints, blocksPerRow, bits }: BlockWeights): Uint8Array {
  return packRows(zeroPoints, blocksPerRow, storedBits(bits));
}

/** Packs unsigned codes, the first in the lowest bits of a byte; each row starts with a new byte. */
export function packRows(codes: Uint8Array, rowLength: number, bits: 2 | 4 | 8): Uint8Array {
  const perByte = 8 / bits;
  const rowBytes = Math.ceil(rowLength / perByte);
  const rows = codes.length / rowLength;
  const packed = new Uint8Array(rows * rowBytes);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < rowLength; i++) {
      const byte = row * rowBytes + Math.floor(i / perByte);
      packed[byte] = packed[byte]! | (codes[row * rowLength + i]! << ((i % perByte) * bits));
    }
  }
  return packed;
}
