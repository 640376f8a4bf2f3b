/** Comparing what was inferred about a value with the tensor that was produced. */

import { substitute } from "../../src/ops/dimension.ts";
import type { Value } from "../../src/program/index.ts";
import type { Tensor } from "../../src/tensor/index.ts";

/** Writes an element type and a shape. */
export function describeValue(value: Pick<Value | Tensor, "dtype" | "shape">): string {
  return `${value.dtype ?? "?"} ${value.shape ? `[${value.shape.map((length) => length ?? "?").join(", ")}]` : "of unknown rank"}`;
}

/**
 * Returns whether what is known about a value contradicts a tensor. Knowing less is no contradiction; a symbol must have
 * its length, when `symbols` tells it.
 */
export function differsFrom(value: Value, truth: Tensor, symbols: ReadonlyMap<string, number>): boolean {
  if (value.dtype && value.dtype !== truth.dtype) return true;
  if (!value.shape) return false;
  if (value.shape.length !== truth.shape.length) return true;
  return value.shape.some((length, axis) => {
    const known = substitute(length, symbols);
    return typeof known === "number" && known !== truth.shape[axis];
  });
}
