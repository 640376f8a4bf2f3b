/** The norm that many tensors have in common. */
import type { Ops } from "../build/index.ts";
import type { Value } from "../program/index.ts";

/** Returns the Euclidean norm of all elements of all values, as if they were one vector. A scalar. */
export function commonNorm(ops: Ops, values: readonly Value[]): Value {
  const squares = values.map((value) => ops.reduceSum(ops.square(value), { keepDims: false }));
  return ops.sqrt(squares.length === 1 ? squares[0]! : ops.emit("Sum", squares));
}
