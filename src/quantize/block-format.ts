/** How matrices are held in blocks: bits, weights to a block, zero points. */

/** Weights that share a scale unless said otherwise; what every execution provider has kernels for. */
export const DEFAULT_BLOCK_SIZE = 32;

/** Whether zero is the middle code in every block of weights, or each block has a zero point. */
export type BlockGridKind = "symmetric" | "asymmetric";

/** How a matrix is quantized in blocks. */
export interface BlockFormat {
  /** Of the grids, 2 to 8: codes use that many of the levels that `storedBits` has. */
  readonly bits: number;
  /** Weights that share a scale: a power of two from 16 to 256. The last block of a row may have fewer. */
  readonly blockSize: number;
  /** Whether zero is the middle code in every block, so that no zero points are stored. */
  readonly symmetric: boolean;
}

/** Returns the bits a code takes in a file: the widths that the operators have. */
export function storedBits(bits: number): 2 | 4 | 8 {
  return bits <= 2 ? 2 : bits <= 4 ? 4 : 8;
}

/** Returns the lowest and the highest code of a format's grids. */
export function codeLimits({ bits, symmetric }: BlockFormat): readonly [lowest: number, highest: number] {
  const lowest = symmetric ? 2 ** (storedBits(bits) - 1) - 2 ** (bits - 1) : 0;
  return [lowest, lowest + 2 ** bits - 1];
}
