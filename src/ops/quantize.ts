/** Quantizing and dequantizing. */
import type { Node } from "../program/index.ts";
import { dtypeAttribute } from "./cast.ts";
import { type Fact, family, type InferenceContext, MICROSOFT, type Operator } from "./operator.ts";

/** QuantizeLinear: (x, y_scale, y_zero_point); the zero point or `output_dtype` tells the type, else uint8. */
function inferQuantize(node: Node, context: InferenceContext): readonly Fact[] {
  const named = node.int("output_dtype", 0) !== 0 ? dtypeAttribute(node, "output_dtype") : undefined;
  const dtype = named ?? (node.inputs[2] ? context.input(2).dtype : "uint8");
  return [{ dtype, shape: context.input(0).shape }];
}

/** DequantizeLinear: (x, x_scale, x_zero_point); the result has the scale's type, or `output_dtype`. */
function inferDequantize(node: Node, context: InferenceContext): readonly Fact[] {
  const named = node.int("output_dtype", 0) !== 0 ? dtypeAttribute(node, "output_dtype") : undefined;
  return [{ dtype: named ?? context.input(1).dtype, shape: context.input(0).shape }];
}

/** DynamicQuantizeLinear -> codes, scale, zero point. */
function inferDynamic(_node: Node, context: InferenceContext): readonly Fact[] {
  return [
    { dtype: "uint8", shape: context.input(0).shape },
    { dtype: "float32", shape: [] },
    { dtype: "uint8", shape: [] },
  ];
}

/** Quantizers and dequantizers. */
export const quantize: readonly Operator[] = [
  ...family(["QuantizeLinear"], { since: 10, infer: inferQuantize }),
  ...family(["DequantizeLinear"], { since: 10, infer: inferDequantize }),
  ...family(["QuantizeLinear"], { domain: MICROSOFT, infer: inferQuantize }),
  ...family(["DequantizeLinear"], { domain: MICROSOFT, infer: inferDequantize }),
  ...family(["DynamicQuantizeLinear"], { since: 11, infer: inferDynamic }),
];
