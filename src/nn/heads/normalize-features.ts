/** Division of features by their length. */
import type { GradientRule, Ops } from "../../build/index.ts";
import type { Value } from "../../program/index.ts";

/**
 * xhat = x / (||x|| + epsilon) along the last axis (arXiv:1801.04540, section 2).
 *
 * Its gradient is dx = (dxhat - xhat (xhat . dxhat)) r / (r + epsilon)^2 with r = ||x||, which is that of the formula up to a share of
 * epsilon / r, orthogonal to x, and 0 where x is: the formula's own would be as large as 1 / epsilon there.
 */
export function normalizeFeatures(ops: Ops, x: Value, epsilon: number): Value {
  const lengthOf = (value: Value): Value => ops.sqrt(ops.reduceSum(ops.square(value), { axes: [-1] }));
  const r = lengthOf(x);
  const xhat = ops.div(x, ops.add(r, epsilon));
  const rule: GradientRule = ({ ops, dy }) => {
    const along = ops.reduceSum(ops.mul(xhat, dy), { axes: [-1] });
    const slope = ops.div(r, ops.square(ops.add(r, epsilon)));
    return [ops.mul(ops.sub(dy, ops.mul(xhat, along)), slope)];
  };
  return ops.customGradient([x], [xhat], rule)[0]!;
}
