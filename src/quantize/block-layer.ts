/** Layers whose weights can be held in blocks: which they are, and how their matrices lie. */
import type { Layer } from "../prepare/index.ts";
import { toFloat32 } from "../tensor/index.ts";
import { DEFAULT_BLOCK_SIZE } from "./block-format.ts";
import { transpose } from "./block-weights.ts";

/** Returns whether a layer's weights can be held in blocks: a plain matrix whose rows are long enough to be worth it. */
export function canUseBlocks(layer: Layer, blockSize: number = DEFAULT_BLOCK_SIZE): boolean {
  const { node, weight, kind } = layer;
  if (weight.constant!.shape.length !== 2 || weight.dtype !== "float32") return false;
  const { rowLength } = blockRows(layer);
  if (kind === "embedding") return layer.outputChannelAxis === 0 && rowLength % blockSize === 0;
  if (layer.weightIndex !== 1 || rowLength < blockSize) return false;
  if (kind === "matmul") return true;
  return kind === "gemm" && !node.int("transA", 0) && node.float("alpha", 1) === 1 && node.float("beta", 1) === 1;
}

/** Rows of a matrix as its operator takes them: along the summed axis for a product, the table's for an embedding. */
export interface BlockRows {
  readonly rows: number;
  readonly rowLength: number;
  /** Whether the layer's own weights lie the other way round. */
  readonly transposed: boolean;
}

/** Returns how many rows a layer's matrix has, and how long they are. */
export function blockRows(layer: Layer): BlockRows {
  const [first, second] = layer.weight.constant!.shape as [number, number];
  return layer.outputChannelAxis === 0
    ? { rows: first, rowLength: second, transposed: false }
    : { rows: second, rowLength: first, transposed: true };
}

/** Returns numbers that lie like a layer's weights as rows, [rows, rowLength]. */
export function toRows(layer: Layer, values: Float32Array): Float32Array {
  const { rows, rowLength, transposed } = blockRows(layer);
  return transposed ? transpose(values, rowLength, rows) : values;
}

/** Returns rows as the layer's own weights lie. */
export function fromRows(layer: Layer, values: Float32Array): Float32Array {
  const { rows, rowLength, transposed } = blockRows(layer);
  return transposed ? transpose(values, rows, rowLength) : values;
}

/** Returns whether two layers have the same matrix: an embedding's table that is, transposed, a product's too (tied embeddings). */
export function haveSameRows(a: Layer, b: Layer): boolean {
  const [one, other] = [blockRows(a), blockRows(b)];
  if (one.rows !== other.rows || one.rowLength !== other.rowLength) return false;
  if (a.weight === b.weight) return one.transposed === other.transposed;
  const [left, right] = [a, b].map((layer) => toFloat32(layer.weight.constant!.load())) as [Float32Array, Float32Array];
  for (let row = 0; row < one.rows; row++) {
    for (let i = 0; i < one.rowLength; i++) {
      const at = (from: BlockRows) => (from.transposed ? i * from.rows + row : row * from.rowLength + i);
      if (left[at(one)] !== right[at(other)]) return false;
    }
  }
  return true;
}
