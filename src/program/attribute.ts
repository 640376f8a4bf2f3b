/** Attributes of nodes: the constants that are part of an operator's meaning (axes, strides, sub-graphs). */
import type { Tensor } from "../tensor/index.ts";
import type { Constant } from "./constant.ts";
import type { Extras } from "./extras.ts";
import type { Graph } from "./graph.ts";

/**
 * One attribute value, tagged with ONNX's kind. Integers are bigint (they are int64 in the file, and INT64_MAX does occur);
 * strings are bytes in the file and need not be UTF-8. `reference` stands for a parameter of the enclosing function.
 */
export type AttributeValue =
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "int"; readonly value: bigint }
  | { readonly kind: "string"; readonly value: Uint8Array }
  | { readonly kind: "tensor"; readonly value: Constant }
  | { readonly kind: "graph"; readonly value: Graph }
  | { readonly kind: "floats"; readonly value: readonly number[] }
  | { readonly kind: "ints"; readonly value: readonly bigint[] }
  | { readonly kind: "strings"; readonly value: readonly Uint8Array[] }
  | { readonly kind: "tensors"; readonly value: readonly Constant[] }
  | { readonly kind: "graphs"; readonly value: readonly Graph[] }
  /** A reference to an attribute of the enclosing function, with the kind it will have there. */
  | { readonly kind: "reference"; readonly value: string; readonly type: number }
  /** Sparse tensors, type protos: kept as the file has them, not interpreted. */
  | { readonly kind: "opaque"; readonly value: unknown };

/** An attribute value with what else the file says about it. */
export type Attribute = AttributeValue & { readonly extras?: Extras };

/** Plain JavaScript values that stand for attributes when nodes are made in code. */
export type AttributeInput =
  | number
  | bigint
  | string
  | readonly number[]
  | readonly string[]
  | Tensor
  | Graph
  | Attribute
  | { readonly float: number };
