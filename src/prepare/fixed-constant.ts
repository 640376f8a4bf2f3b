/** Which values are constants for good, and which only have a default. */
import { type Constant, constantSize, constantValue, type Graph, type Value } from "../program/index.ts";
import { type DType, numberToBfloat16, numberToHalf, Tensor, toNumbers } from "../tensor/index.ts";

/** Returns a value's constant, or undefined when it has none or a caller may override it (it is also a graph input). */
export function fixedConstant(value: Value | undefined, graph: Graph): Constant | undefined {
  return value?.constant && !graph.inputs.includes(value) ? value.constant : undefined;
}

/** Returns the number of a constant with a single element of at most one axis; undefined for anything else. */
export function scalarConstant(value: Value | undefined, graph: Graph): number | undefined {
  const constant = fixedConstant(value, graph);
  const isScalar = constant && constantSize(constant) === 1 && constant.shape.length <= 1;
  return isScalar && constant.dtype !== "string" ? toNumbers(constant.load())[0] : undefined;
}

/** Makes a tensor of one of the four float types from numbers, each rounded once to the nearest representable. */
export function floatTensor(dtype: DType, shape: readonly number[], numbers: Float32Array | Float64Array): Tensor {
  if (dtype === "float16") return new Tensor(dtype, shape, Uint16Array.from(numbers, numberToHalf));
  if (dtype === "bfloat16") return new Tensor(dtype, shape, Uint16Array.from(numbers, numberToBfloat16));
  if (dtype === "float64") return new Tensor(dtype, shape, Float64Array.from(numbers));
  return new Tensor("float32", shape, Float32Array.from(numbers));
}

/** Makes a constant value of a float type from numbers; see `floatTensor`. */
export function floatConstant(name: string, dtype: DType, shape: readonly number[], numbers: Float64Array): Value {
  return constantValue(name, floatTensor(dtype, shape, numbers));
}
