/** Operators on text. */
import type { Node } from "../program/index.ts";
import { broadcastShapes } from "./broadcast.ts";
import { unknownLengths } from "./elements.ts";
import { type Fact, family, type InferenceContext, type Operator } from "./operator.ts";

/** StringSplit -> parts [...shape, most parts], number of parts. */
function inferSplit(_node: Node, context: InferenceContext): readonly Fact[] {
  const { shape } = context.input(0);
  return [
    { dtype: "string", shape: shape && [...shape, null] },
    { dtype: "int64", shape },
  ];
}

/** StringNormalizer: [length] or [1, length], less the stop words. */
function inferNormalizer(node: Node, context: InferenceContext): readonly Fact[] {
  const { shape } = context.input(0);
  return [{ dtype: "string", shape: node.attributes.has("stopwords") ? unknownLengths(shape?.length) : shape }];
}

function inferConcat(node: Node, context: InferenceContext): readonly Fact[] {
  return [{ dtype: "string", shape: broadcastShapes(node, context.input(0).shape, context.input(1).shape) }];
}

function inferMatch(_node: Node, context: InferenceContext): readonly Fact[] {
  return [{ dtype: "bool", shape: context.input(0).shape }];
}

/** TfIdfVectorizer: [..., length] -> one weight per n-gram of the dictionary. */
function inferTfIdf(node: Node, context: InferenceContext): readonly Fact[] {
  const { shape } = context.input(0);
  const indices = node.ints("ngram_indexes");
  const width = indices && indices.length > 0 ? Math.max(...indices) + 1 : null;
  return [{ dtype: "float32", shape: shape && [...shape.slice(0, -1), width] }];
}

/** Text operators. */
export const strings: readonly Operator[] = [
  ...family(["StringSplit"], { since: 20, infer: inferSplit }),
  ...family(["StringNormalizer"], { since: 10, infer: inferNormalizer }),
  ...family(["StringConcat"], { since: 20, infer: inferConcat }),
  ...family(["RegexFullMatch"], { since: 20, infer: inferMatch }),
  ...family(["TfIdfVectorizer"], { since: 9, infer: inferTfIdf }),
];
