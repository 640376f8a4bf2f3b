/** Sequences and optionals: values that hold tensors. */
import type { Dimension, Node, Shape } from "../program/index.ts";
import { dtypeAttribute } from "./cast.ts";
import { joinFacts } from "./merge-facts.ts";
import { type Fact, family, type InferenceContext, type Operator } from "./operator.ts";
import { normalizeAxis } from "./shape-check.ts";

function inferConstruct(node: Node, context: InferenceContext): readonly Fact[] {
  const parts = node.inputs.map((_, index) => context.input(index));
  return parts.length > 0 ? [{ items: parts.reduce(joinFacts) }] : [];
}

function inferEmpty(node: Node): readonly Fact[] {
  return [{ items: { dtype: dtypeAttribute(node, "dtype", "float32") } }];
}

function inferInsert(_node: Node, context: InferenceContext): readonly Fact[] {
  const { items } = context.input(0);
  return [{ items: items && joinFacts(items, context.input(1)) }];
}

function inferErase(_node: Node, context: InferenceContext): readonly Fact[] {
  return [{ items: context.input(0).items }];
}

function inferAt(_node: Node, context: InferenceContext): readonly (Fact | undefined)[] {
  return [context.input(0).items];
}

function inferLength(): readonly Fact[] {
  return [{ dtype: "int64", shape: [] }];
}

function inferConcatFromSequence(node: Node, context: InferenceContext): readonly Fact[] {
  const { items } = context.input(0);
  if (!items?.shape) return [{ dtype: items?.dtype }];
  const added = node.int("new_axis", 0) === 1;
  const axis = normalizeAxis(node, node.int("axis", 0), items.shape.length + Number(added));
  const shape: Shape = [...items.shape.slice(0, axis), null, ...items.shape.slice(added ? axis : axis + 1)];
  return [{ dtype: items.dtype, shape }];
}

/** SplitToSequence: parts of length 1 (without their axis unless keepdims), or of the lengths given. */
function inferSplitToSequence(node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape } = context.input(0);
  if (!shape) return [{ items: { dtype } }];
  const axis = normalizeAxis(node, node.int("axis", 0), shape.length);
  const given = node.inputs[1] !== undefined;
  if (!given && node.int("keepdims", 1) === 0)
    return [{ items: { dtype, shape: shape.filter((_, index) => index !== axis) } }];
  const part: Dimension = given ? null : 1;
  return [{ items: { dtype, shape: shape.map((length, index) => (index === axis ? part : length)) } }];
}

/** SequenceMap: a body run on each item; what is not a sequence is given to each run whole. */
function inferSequenceMap(node: Node, context: InferenceContext): readonly Fact[] {
  const body = node.attributes.get("body");
  if (body?.kind !== "graph") return [];
  const inputs = node.inputs.map((_, index) => context.input(index).items ?? (index === 0 ? {} : context.input(index)));
  return context.graph(body.value, inputs).map(({ dtype, shape }) => ({ items: { dtype, shape } }));
}

function inferOptional(node: Node, context: InferenceContext): readonly Fact[] {
  return node.inputs[0] ? [{ items: context.input(0) }] : [];
}

/** What an optional holds; from operator set 18 a tensor is taken as it is. */
function inferGetElement(_node: Node, context: InferenceContext): readonly (Fact | undefined)[] {
  const input = context.input(0);
  if (input.items) return [input.items];
  return [input.dtype ? { dtype: input.dtype, shape: input.shape, elements: input.elements } : undefined];
}

function inferHasElement(): readonly Fact[] {
  return [{ dtype: "bool", shape: [] }];
}

/** Sequences and optionals. */
export const sequence: readonly Operator[] = [
  ...family(["SequenceConstruct"], { since: 11, infer: inferConstruct }),
  ...family(["SequenceEmpty"], { since: 11, infer: inferEmpty }),
  ...family(["SequenceInsert"], { since: 11, infer: inferInsert }),
  ...family(["SequenceErase"], { since: 11, infer: inferErase }),
  ...family(["SequenceAt"], { since: 11, infer: inferAt }),
  ...family(["SequenceLength"], { since: 11, infer: inferLength }),
  ...family(["ConcatFromSequence"], { since: 11, infer: inferConcatFromSequence }),
  ...family(["SplitToSequence"], { since: 11, infer: inferSplitToSequence }),
  ...family(["SequenceMap"], { since: 17, infer: inferSequenceMap }),
  ...family(["Optional"], { since: 15, infer: inferOptional }),
  ...family(["OptionalGetElement"], { since: 15, infer: inferGetElement }),
  ...family(["OptionalHasElement"], { since: 15, infer: inferHasElement }),
];
