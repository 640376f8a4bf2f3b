/** Operators of ONNX's classical machine learning domain that prepare the inputs of networks. */
import type { Node } from "../program/index.ts";
import type { DType } from "../tensor/index.ts";
import { type Fact, family, type InferenceContext, type Operator } from "./operator.ts";

const DOMAIN = "ai.onnx.ml";

/** LabelEncoder maps each element; the kind of values tells the type. */
function inferLabelEncoder(node: Node, context: InferenceContext): readonly Fact[] {
  return [{ dtype: labelType(node), shape: context.input(0).shape }];
}

function labelType(node: Node): DType | undefined {
  if (node.attributes.has("values_strings")) return "string";
  if (node.attributes.has("values_int64s")) return "int64";
  if (node.attributes.has("values_floats")) return "float32";
  const tensor = node.attributes.get("values_tensor");
  return tensor?.kind === "tensor" ? tensor.value.dtype : undefined;
}

function inferSame(_node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape } = context.input(0);
  return [{ dtype, shape }];
}

function inferToFloat(_node: Node, context: InferenceContext): readonly Fact[] {
  return [{ dtype: "float32", shape: context.input(0).shape }];
}

/** ArrayFeatureExtractor: (X [..., features], chosen [1, count] or [count]) -> [..., count]. */
function inferFeatures(_node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape } = context.input(0);
  const count = context.input(1).shape?.at(-1) ?? null;
  return [{ dtype, shape: shape && (shape.length === 1 ? [1, count] : [...shape.slice(0, -1), count]) }];
}

/** Classical machine learning. */
export const classical: readonly Operator[] = [
  ...family(["LabelEncoder"], { domain: DOMAIN, since: 2, infer: inferLabelEncoder }),
  ...family(["Binarizer", "Imputer"], { domain: DOMAIN, infer: inferSame }),
  ...family(["Normalizer", "Scaler"], { domain: DOMAIN, infer: inferToFloat }),
  ...family(["ArrayFeatureExtractor"], { domain: DOMAIN, infer: inferFeatures }),
];
