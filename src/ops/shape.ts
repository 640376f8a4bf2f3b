/** Shapes as values: the sources of every computation of shapes. */
import type { Node } from "../program/index.ts";
import { productOf } from "./dimension.ts";
import { fewElements } from "./elements.ts";
import { type Fact, family, type InferenceContext, type Operator } from "./operator.ts";

function inferShape(node: Node, context: InferenceContext): readonly Fact[] {
  const { shape } = context.input(0);
  const elements = shape?.slice(node.int("start", 0), node.int("end"));
  return [{ dtype: "int64", shape: [elements?.length ?? null], elements }];
}

function inferSize(_node: Node, context: InferenceContext): readonly Fact[] {
  const { shape } = context.input(0);
  return [{ dtype: "int64", shape: [], elements: shape && [productOf(shape)] }];
}

/** Range: (start, limit, delta), all scalars. */
function inferRange(_node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype } = context.input(0);
  const [start, limit, delta] = [0, 1, 2].map((index) => context.input(index).elements?.[0]);
  if (typeof start === "number" && typeof limit === "number" && typeof delta === "number" && delta !== 0) {
    const count = Math.max(Math.ceil((limit - start) / delta), 0);
    const integers = dtype === "int64" || dtype === "int32";
    const values = integers && count <= 1024 ? Array.from({ length: count }, (_, i) => start + i * delta) : undefined;
    return [{ dtype, shape: [count], elements: fewElements(values) }];
  }
  return [{ dtype, shape: [start === 0 && delta === 1 ? (limit ?? null) : null] }];
}

/** Shape, Size and Range. */
export const shape: readonly Operator[] = [
  ...family(["Shape"], { infer: inferShape }),
  ...family(["Size"], { infer: inferSize }),
  ...family(["Range"], { since: 11, infer: inferRange }),
];
