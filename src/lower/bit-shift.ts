/** Right shifts where the device has none. */

import { tensorOf } from "../tensor/index.ts";
import type { Lowering } from "./lowering.ts";

/** WebGPU has no BitShift: unsigned integers shift right by division. */
const rightShift: Lowering = (node, ops, { device }) => {
  const bits = ops.numbersOf(node.inputs[1]);
  if (device !== "webgpu" || node.string("direction", "") !== "RIGHT" || bits?.length !== 1) return undefined;
  const x = node.input(0);
  return [ops.div(x, ops.constant(tensorOf(x.dtype!, [], [2 ** bits[0]!])))];
};

export const bitShift: Readonly<Record<string, Lowering>> = { BitShift: rightShift };
