/** Matrix products of ONNX Runtime. */
import { UnsupportedError } from "../../errors.ts";
import type { Value } from "../../program/index.ts";
import type { Decomposition } from "./decomposition.ts";

/** alpha A' B', where A' and B' may have their last two axes swapped. */
const fusedMatMul: Decomposition = (node, ops) => {
  if (node.int("transBatchA", 0) || node.int("transBatchB", 0)) {
    throw new UnsupportedError(`${node.label}: transBatchA and transBatchB must be 0 to have a gradient, got 1.`);
  }
  const operand = (index: number, flag: string): Value => {
    const x = node.input(index);
    return node.int(flag, 0) && ops.rankOf(x) > 1 ? ops.transposeLast(x) : x;
  };
  const alpha = node.float("alpha", 1);
  const product = ops.matMul(operand(0, "transA"), operand(1, "transB"));
  return [alpha === 1 ? product : ops.mul(product, alpha)];
};

/** Products. */
export const products: Readonly<Record<string, Decomposition>> = {
  "com.microsoft:FusedMatMul": fusedMatMul,
};
