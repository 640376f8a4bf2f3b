/** Constants: tensors that are part of a program. Their numbers are decoded only when asked for. */
import { type DType, elementCount, type Tensor } from "../tensor/index.ts";
import type { Extras } from "./extras.ts";

/**
 * A tensor that is part of a program: a weight, or an attribute's value.
 *
 * Either made in code (from a Tensor) or read from a file; then `load` decodes it, and `source` is the file's own record of
 * it, written back unchanged. `load` may read external data and may throw ModelFormatError; it does not cache, so that a
 * program over a model of many gigabytes stays small.
 */
export interface Constant {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Returns the numbers; treat them as read-only. */
  load(): Tensor;
  /** How the file holds it (a TensorProto); absent for constants made in code. Opaque outside onnx/. */
  readonly source?: unknown;
  readonly extras?: Extras;
}

/** Makes a constant from a tensor. */
export function constantOf(tensor: Tensor): Constant {
  return { dtype: tensor.dtype, shape: tensor.shape, load: () => tensor };
}

/** Returns the number of elements of a constant. */
export function constantSize(constant: Constant): number {
  return elementCount(constant.shape);
}
