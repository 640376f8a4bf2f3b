/** Joining along an axis. */
import type { Node, Shape } from "../program/index.ts";
import { addDimensions, dimensionsDiffer } from "./dimension.ts";
import { fewElements } from "./elements.ts";
import { type Fact, family, type InferenceContext, MICROSOFT, type Operator } from "./operator.ts";
import { normalizeAxis, shapeMismatch } from "./shape-check.ts";

function inferConcat(node: Node, context: InferenceContext): readonly Fact[] {
  const inputs = node.inputs.map((_, index) => context.input(index));
  const dtype = inputs.find((input) => input.dtype)?.dtype;
  const shape = concatenatedShape(
    node,
    inputs.map((input) => input.shape),
    node.int("axis", 1),
  );
  const flat = shape?.length === 1 && inputs.every((input) => input.elements);
  return [{ dtype, shape, elements: flat ? fewElements(inputs.flatMap((input) => input.elements!)) : undefined }];
}

/** QLinearConcat: (y_scale, y_zero_point, then tensor, scale and zero point of each part). */
function inferQuantized(node: Node, context: InferenceContext): readonly Fact[] {
  const parts = node.inputs.flatMap((_, index) => (index >= 2 && (index - 2) % 3 === 0 ? [context.input(index)] : []));
  const shape = concatenatedShape(
    node,
    parts.map((part) => part.shape),
    node.int("axis", 1),
  );
  return [{ dtype: context.input(1).dtype, shape }];
}

/** Returns the shape of parts joined along an axis; lengths known for one part are known for all. */
export function concatenatedShape(
  node: Node,
  parts: readonly (Shape | undefined)[],
  givenAxis: number,
): Shape | undefined {
  const first = parts.find((part) => part !== undefined);
  if (!first) return undefined;
  const axis = normalizeAxis(node, givenAxis, first.length);
  let result: Shape = first.map((length, index) => (index === axis ? 0 : length));
  for (const part of parts) {
    if (part && part.length !== first.length) throw shapeMismatch(node, "parts must have the same rank", first, part);
    result = result.map((length, index) => {
      const own = part?.[index] ?? null;
      if (index === axis) return addDimensions(length, own);
      if (dimensionsDiffer(length, own))
        throw shapeMismatch(node, `parts must be equal except along axis ${axis}`, first, part);
      return typeof length === "number" ? length : (own ?? length);
    });
  }
  return result;
}

/** Concat. */
export const concat: readonly Operator[] = [
  ...family(["Concat"], { infer: inferConcat }),
  ...family(["QLinearConcat"], { domain: MICROSOFT, infer: inferQuantized }),
];
