/** Permuting axes. */
import type { Node } from "../program/index.ts";
import { rearrange } from "./elements.ts";
import { type Fact, family, type InferenceContext, type Operator } from "./operator.ts";
import { shapeMismatch } from "./shape-check.ts";

function inferTranspose(node: Node, context: InferenceContext): readonly Fact[] {
  const input = context.input(0);
  const { dtype, shape } = input;
  if (!shape) return [{ dtype }];
  const permutation = node.ints("perm") ?? shape.map((_, axis) => shape.length - 1 - axis);
  const valid = permutation.length === shape.length && shape.every((_, axis) => permutation.includes(axis));
  if (!valid) throw shapeMismatch(node, `perm [${permutation.join(", ")}] must list every axis once`, shape);
  const transposed = permutation.map((axis) => shape[axis]!);
  const elements = rearrange(input, transposed, (position) => {
    const from = new Array<number>(position.length);
    permutation.forEach((axis, at) => {
      from[axis] = position[at]!;
    });
    return from;
  });
  return [{ dtype, shape: transposed, elements }];
}

/** Transpose. */
export const transpose: readonly Operator[] = family(["Transpose"], { infer: inferTranspose });
