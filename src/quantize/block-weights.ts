/** Weights quantized in blocks along a row, as MatMulNBits and GatherBlockQuantized hold them. */
import { roundHalfEven } from "../tensor/index.ts";
import { symmetricGrid } from "./grid.ts";

/** Weights that share a scale; what every execution provider has kernels for. */
export const BLOCK_SIZE = 32;

/** Rows of weights as unsigned codes with the middle code as zero, each row padded to whole blocks. */
export interface BlockWeights {
  readonly granularity: "block";
  /** Of the grids, 2 to 8: codes use that many of the levels that `storedBits` has. */
  readonly bits: number;
  /** Two codes to a byte, or one: the widths that the operators have. */
  readonly storedBits: 4 | 8;
  readonly rows: number;
  /** Weights in a row before padding. */
  readonly rowLength: number;
  readonly blocksPerRow: number;
  /** [rows, blocks, bytes of a block]. */
  readonly packed: Uint8Array;
  /** [rows, blocks]. */
  readonly scales: Float32Array;
}

/** Quantizes rows of weights, each block to the scale of its largest magnitude. */
export function quantizeBlocks(values: Float32Array, rowLength: number, bits: number): BlockWeights {
  const storedBits = bits <= 4 ? 4 : 8;
  const rows = values.length / rowLength;
  const blocksPerRow = Math.ceil(rowLength / BLOCK_SIZE);
  const blockBytes = (BLOCK_SIZE * storedBits) / 8;
  const packed = new Uint8Array(rows * blocksPerRow * blockBytes);
  const scales = new Float32Array(rows * blocksPerRow);
  for (let block = 0; block < scales.length; block++) {
    const row = Math.floor(block / blocksPerRow);
    const start = row * rowLength + (block % blocksPerRow) * BLOCK_SIZE;
    const end = Math.min(start + BLOCK_SIZE, (row + 1) * rowLength);
    let largest = 0;
    for (let i = start; i < end; i++) largest = Math.max(largest, Math.abs(values[i]!));
    scales[block] = symmetricGrid(largest, bits).scale;
    packBlock(values, start, end, scales[block]!, storedBits, packed, block * blockBytes);
  }
  return { granularity: "block", bits, storedBits, rows, rowLength, blocksPerRow, packed, scales };
}

function packBlock(
  values: Float32Array,
  start: number,
  end: number,
  scale: number,
  bits: 4 | 8,
  packed: Uint8Array,
  at: number,
): void {
  const zero = 2 ** (bits - 1);
  for (let i = 0; i < BLOCK_SIZE; i++) {
    const code = start + i < end ? roundHalfEven(values[start + i]! / scale) + zero : zero;
    const byte = at + (bits === 4 ? i >> 1 : i);
    packed[byte] = packed[byte]! | (code << (bits === 4 ? (i & 1) * 4 : 0));
  }
}

/** Returns the numbers the codes stand for, [rows, rowLength]. */
export function dequantizeBlocks(weights: BlockWeights): Float32Array {
  const { packed, scales, rows, rowLength, blocksPerRow, storedBits: bits } = weights;
  const blockBytes = (BLOCK_SIZE * bits) / 8;
  const zero = 2 ** (bits - 1);
  const values = new Float32Array(rows * rowLength);
  for (let at = 0; at < values.length; at++) {
    const inRow = at % rowLength;
    const block = Math.floor(at / rowLength) * blocksPerRow + Math.floor(inRow / BLOCK_SIZE);
    const i = inRow % BLOCK_SIZE;
    const byte = packed[block * blockBytes + (bits === 4 ? i >> 1 : i)]!;
    values[at] = ((bits === 4 ? (byte >> ((i & 1) * 4)) & 15 : byte) - zero) * scales[block]!;
  }
  return values;
}

/** Returns a [rows, columns] matrix transposed. */
export function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) result[c * rows + r] = values[r * columns + c]!;
  return result;
}
