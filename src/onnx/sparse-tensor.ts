/** Sparse tensors: values at indices, all else zero. */
import { ModelFormatError } from "../errors.ts";
import { bitsOf, elementCount, type Tensor, type TensorData, zeros } from "../tensor/index.ts";

/** Largest dense tensor that a sparse one may stand for: 2^27 elements, so that a few bytes cannot ask for all memory. */
const MAXIMUM_ELEMENTS = 2 ** 27;

/**
 * Returns a dense tensor from sparse values [nonzeros] and int64 indices, either [nonzeros] into the flattened tensor or
 * [nonzeros, rank] one coordinate an axis.
 *
 * @throws ModelFormatError if the indices do not fit the values or the shape.
 */
export function densify(values: Tensor, indices: Tensor, shape: readonly number[], where: string): Tensor {
  const count = elementCount(shape);
  const perIndex = indices.shape.length === 2 ? shape.length : 1;
  const { dtype } = values;
  if (count > MAXIMUM_ELEMENTS || dtype === "string" || dtype.startsWith("complex") || bitsOf(dtype) < 8) {
    throw new ModelFormatError(
      `${where}: a sparse tensor must be of at most 2^27 plain numbers, got ${dtype} of shape [${shape.join(", ")}].`,
    );
  }
  if (indices.dtype !== "int64" || indices.size !== values.size * perIndex) {
    throw new ModelFormatError(
      `${where}: ${values.size} sparse values must have ${values.size * perIndex} int64 indices, got ${indices.size} of ${indices.dtype}.`,
    );
  }
  const dense = zeros(dtype, shape);
  const target = dense.data as Exclude<TensorData, string[]>;
  const source = values.data as typeof target;
  const positions = indices.data as BigInt64Array;
  for (let i = 0; i < source.length; i++) {
    const at = flatIndex(positions.subarray(i * perIndex, (i + 1) * perIndex), shape, perIndex);
    if (!(at >= 0 && at < count)) throw new ModelFormatError(`${where}: sparse index ${i} must lie in the tensor.`);
    target[at] = source[i]!;
  }
  return dense;
}

function flatIndex(coordinates: BigInt64Array, shape: readonly number[], perIndex: number): number {
  if (perIndex === 1) return Number(coordinates[0]);
  let flat = 0;
  for (let axis = 0; axis < shape.length; axis++) {
    const coordinate = Number(coordinates[axis]);
    if (coordinate < 0 || coordinate >= shape[axis]!) return -1;
    flat = flat * shape[axis]! + coordinate;
  }
  return flat;
}
