/** What must be known when a program is built: numbers of operands, axes counted from the front. */
import { UnsupportedError } from "../errors.ts";
import type { Node } from "../program/index.ts";
import type { Ops } from "./ops.ts";

/**
 * Returns the numbers of a node's input, which must follow from constants and shapes alone.
 *
 * @param what What the input is called in messages, such as "pads".
 * @throws UnsupportedError naming the node if they are known only when the program runs.
 */
export function fixedNumbers(ops: Ops, node: Node, index: number, what: string): readonly number[] {
  const numbers = ops.numbersOf(node.inputs[index]);
  if (numbers) return numbers;
  throw new UnsupportedError(
    `${node.label}: ${what} must be known when the program is built, got values that are computed when it runs. ` +
      "Make them constants, or put stopGradient before the node.",
  );
}

/** Returns an axis of a tensor of `rank` axes counted from the front: -1 is the last. */
export function axisFromFront(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}
