/** Weights quantized in blocks along a row, as MatMulNBits and GatherBlockQuantized take them. */
import { roundHalfEven } from "../tensor/index.ts";
import { type BlockFormat, codeLimits } from "./block-format.ts";
import { type BlockGridOptions, blockGrid } from "./block-grid.ts";

/** Rows of weights as unsigned codes: `w = (code - zeroPoint) * scale`, with one scale and zero point for each block. */
export interface BlockWeights extends BlockFormat {
  readonly granularity: "block";
  readonly rows: number;
  /** Weights in a row. */
  readonly rowLength: number;
  readonly blocksPerRow: number;
  /** [rows, rowLength], one to a byte. */
  readonly codes: Uint8Array;
  /** [rows, blocks]. */
  readonly scales: Float32Array;
  /** [rows, blocks]; codes that stand for zero. */
  readonly zeroPoints: Uint8Array;
}

/** Quantizes rows of weights to the nearest code, each block on a grid of its own. */
export function quantizeBlocks(values: Float32Array, rowLength: number, options: BlockGridOptions): BlockWeights {
  const { bits, blockSize, symmetric } = options;
  const rows = values.length / rowLength;
  const blocksPerRow = Math.ceil(rowLength / blockSize);
  const scales = new Float32Array(rows * blocksPerRow);
  const zeroPoints = new Uint8Array(scales.length);
  const layout = { rows, rowLength, blocksPerRow };
  for (let block = 0; block < scales.length; block++) {
    const [start, end] = blockExtent({ ...layout, blockSize }, block);
    const { scale, zeroPoint } = blockGrid(values.subarray(start, end), options);
    scales[block] = scale;
    zeroPoints[block] = zeroPoint;
  }
  const grids = { granularity: "block", bits, blockSize, symmetric, ...layout, scales, zeroPoints } as const;
  return { ...grids, codes: nearestCodes(values, grids) };
}

/** Returns the code nearest to each weight on its block's grid. */
export function nearestCodes(values: Float32Array, grids: Omit<BlockWeights, "codes">): Uint8Array {
  const [lowest, highest] = codeLimits(grids);
  const codes = new Uint8Array(values.length);
  for (let block = 0; block < grids.scales.length; block++) {
    const [start, end] = blockExtent(grids, block);
    const scale = grids.scales[block]!;
    const zeroPoint = grids.zeroPoints[block]!;
    for (let i = start; i < end; i++) {
      codes[i] = Math.min(highest, Math.max(lowest, roundHalfEven(values[i]! / scale) + zeroPoint));
    }
  }
  return codes;
}

/** Returns the numbers the codes stand for, [rows, rowLength]. */
export function dequantizeBlocks(weights: BlockWeights): Float32Array {
  const { codes, scales, zeroPoints } = weights;
  const values = new Float32Array(codes.length);
  for (let block = 0; block < scales.length; block++) {
    const [start, end] = blockExtent(weights, block);
    for (let i = start; i < end; i++) values[i] = (codes[i]! - zeroPoints[block]!) * scales[block]!;
  }
  return values;
}

/** Returns where a block of the matrix starts and ends among all weights. */
export function blockExtent(
  { rowLength, blockSize, blocksPerRow }: Pick<BlockWeights, "rowLength" | "blockSize" | "blocksPerRow">,
  block: number,
): readonly [start: number, end: number] {
  const row = Math.floor(block / blocksPerRow);
  const start = row * rowLength + (block % blocksPerRow) * blockSize;
  return [start, Math.min(start + blockSize, (row + 1) * rowLength)];
}

/** Returns a [rows, columns] matrix transposed. */
export function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) result[c * rows + r] = values[r * columns + c]!;
  return result;
}
