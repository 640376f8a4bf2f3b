/** Tensors made from attributes: constants, fills and random numbers. */
import { type Constant, constantOf, type Node, type Shape } from "../program/index.ts";
import { type DType, float32, Tensor } from "../tensor/index.ts";
import { dtypeAttribute } from "./cast.ts";
import { constantFact, followedCount, unknownLengths, vectorLength } from "./elements.ts";
import { type Fact, family, type InferenceContext, type Operator } from "./operator.ts";

function inferConstant(node: Node): readonly Fact[] {
  const constant = constantAttribute(node);
  return constant ? [constantFact(constant)] : [];
}

/** Returns what a Constant node holds, in whichever attribute; undefined for sparse tensors. */
export function constantAttribute(node: Node): Constant | undefined {
  for (const attribute of node.attributes.values()) {
    switch (attribute.kind) {
      case "tensor":
        return attribute.value;
      case "float":
        return constantOf(float32([], [attribute.value]));
      case "floats":
        return constantOf(float32([attribute.value.length], attribute.value));
      case "int":
        return constantOf(new Tensor("int64", [], BigInt64Array.of(attribute.value)));
      case "ints":
        return constantOf(new Tensor("int64", [attribute.value.length], BigInt64Array.from(attribute.value)));
      case "string":
        return constantOf(new Tensor("string", [], [decode(attribute.value)]));
      case "strings":
        return constantOf(new Tensor("string", [attribute.value.length], attribute.value.map(decode)));
    }
  }
  return undefined;
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function inferConstantOfShape(node: Node, context: InferenceContext): readonly Fact[] {
  const target = context.input(0);
  const shape = target.elements ?? unknownLengths(vectorLength(target));
  const attribute = node.attributes.get("value");
  const value = attribute?.kind === "tensor" ? attribute.value : undefined;
  const count = followedCount(shape);
  const fact: Fact = { dtype: value?.dtype ?? "float32", shape };
  if (count === undefined || fact.dtype === "string") return [fact];
  const fill = value ? constantFact(value).elements?.[0] : 0;
  return [fill === undefined ? fact : { ...fact, elements: new Array(count).fill(fill) }];
}

/** Output shaped as the first input; `dtype` names the element type, by default the input's. */
function inferLike(node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape } = context.input(0);
  return [{ dtype: dtypeAttribute(node, "dtype", dtype), shape }];
}

function inferRandom(node: Node): readonly Fact[] {
  return [{ dtype: dtypeAttribute(node, "dtype", "float32"), shape: node.ints("shape") }];
}

function inferMultinomial(node: Node, context: InferenceContext): readonly Fact[] {
  const batch = context.input(0).shape?.[0] ?? null;
  return [{ dtype: dtypeAttribute(node, "dtype", "int32"), shape: [batch, node.int("sample_size", 1)] }];
}

/** Windows of signal processing: one number for each of `size` samples. */
function inferWindow(node: Node, context: InferenceContext): readonly Fact[] {
  const shape: Shape = [context.input(0).elements?.[0] ?? null];
  return [{ dtype: dtypeAttribute(node, "output_datatype", "float32"), shape }];
}

/** MelWeightMatrix: (num_mel_bins, dft_length, ...) -> [dft_length / 2 + 1, num_mel_bins]. */
function inferMelWeights(node: Node, context: InferenceContext): readonly Fact[] {
  const length = context.input(1).elements?.[0];
  const bins = typeof length === "number" ? Math.floor(length / 2) + 1 : null;
  const dtype: DType | undefined = dtypeAttribute(node, "output_datatype", "float32");
  return [{ dtype, shape: [bins, context.input(0).elements?.[0] ?? null] }];
}

/** Operators that make tensors. */
export const constant: readonly Operator[] = [
  ...family(["Constant"], { infer: inferConstant }),
  ...family(["ConstantOfShape"], { since: 9, infer: inferConstantOfShape }),
  ...family(["EyeLike"], { since: 9, infer: inferLike }),
  ...family(["RandomNormalLike", "RandomUniformLike", "Bernoulli"], { infer: inferLike }),
  ...family(["RandomNormal", "RandomUniform"], { infer: inferRandom }),
  ...family(["Multinomial"], { since: 7, infer: inferMultinomial }),
  ...family(["BlackmanWindow", "HammingWindow", "HannWindow"], { since: 17, infer: inferWindow }),
  ...family(["MelWeightMatrix"], { since: 17, infer: inferMelWeights }),
];
