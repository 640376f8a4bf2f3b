/** Splitting along an axis. */
import type { Dimension, Node } from "../program/index.ts";
import { addDimensions, dimensionsDiffer, divideDimensions } from "./dimension.ts";
import { attributeOrInput, rearrange } from "./elements.ts";
import { type Fact, family, type InferenceContext, type Operator } from "./operator.ts";
import { normalizeAxis, shapeMismatch } from "./shape-check.ts";

function inferSplit(node: Node, context: InferenceContext): readonly Fact[] {
  const input = context.input(0);
  const { dtype, shape } = input;
  if (!shape) return node.outputs.map(() => ({ dtype }));
  const axis = normalizeAxis(node, node.int("axis", 0), shape.length);
  const given = attributeOrInput(node, context, "split", 1);
  const sizes = given ?? equalSizes(shape[axis]!, node.outputs.length, node.inputs[1] !== undefined);
  const total = sizes.reduce<Dimension>(addDimensions, 0);
  if (sizes.length !== node.outputs.length || dimensionsDiffer(total, shape[axis]!))
    throw shapeMismatch(node, `parts [${sizes.join(", ")}] must add up to axis ${axis}, one per output`, shape);
  let start = 0;
  return sizes.map((size) => {
    const part = shape.map((length, index) => (index === axis ? size : length));
    const offset = start;
    start += typeof size === "number" ? size : 0;
    const elements = rearrange(input, part, (position) =>
      position.map((place, index) => (index === axis ? place + offset : place)),
    );
    return { dtype, shape: part, elements };
  });
}

/** Equal parts; when the length is no multiple, the last is shorter (operator set 18). */
function equalSizes(length: Dimension, count: number, sizesUnknown: boolean): readonly Dimension[] {
  if (sizesUnknown) return new Array<null>(count).fill(null);
  if (typeof length !== "number") return new Array<Dimension>(count).fill(divideDimensions(length, count));
  const size = Math.ceil(length / count);
  return Array.from({ length: count }, (_, index) => (index < count - 1 ? size : length - size * (count - 1)));
}

/** Split. */
export const split: readonly Operator[] = family(["Split"], { infer: inferSplit });
