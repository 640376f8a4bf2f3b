/** Putting windows back together. */
import type { Node } from "../program/index.ts";
import { numbersOf, unknownLengths } from "./elements.ts";
import { type Fact, family, type InferenceContext, type Operator } from "./operator.ts";
import { unslideWindow } from "./window.ts";

/** MaxUnpool: (X, I, output_shape), with the window of the pooling it undoes. */
function inferMaxUnpool(node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape } = context.input(0);
  if (node.inputs[2]) return [{ dtype, shape: context.input(2).elements ?? unknownLengths(shape?.length) }];
  const kernel = node.ints("kernel_shape") ?? [];
  return [{ dtype, shape: shape && [...shape.slice(0, 2), ...unslideWindow(node, shape.slice(2), kernel)] }];
}

/** Col2Im: (input [batch, channels * block, places], image_shape, block_shape). */
function inferCol2Im(_node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape } = context.input(0);
  const image = context.input(1).elements;
  const block = numbersOf(context.input(2));
  const channels = shape?.[1];
  if (!image) return [{ dtype }];
  const blockSize = block?.reduce((product, length) => product * length, 1);
  const known = typeof channels === "number" && blockSize ? channels / blockSize : null;
  return [{ dtype, shape: [shape?.[0] ?? null, known, ...image] }];
}

/** MaxUnpool and Col2Im. */
export const unpool: readonly Operator[] = [
  ...family(["MaxUnpool"], { since: 9, infer: inferMaxUnpool }),
  ...family(["Col2Im"], { since: 18, infer: inferCol2Im }),
];
