/** Element types, with the names, codes and widths ONNX gives them. */
import { DTypeError } from "../errors.ts";

/**
 * The element type of a tensor: ONNX's types in the spelling ONNX Runtime's JavaScript packages use.
 *
 * How each is held in a `Tensor`'s data: float32, float64, (u)int8/16/32/64 in the typed array of that name; bool as
 * Uint8Array of 0 and 1; float16 and bfloat16 as their bits in Uint16Array; the float8 kinds as bits in Uint8Array;
 * types below 8 bits packed in Uint8Array, first element in the low bits (as ONNX stores them); complex as pairs of floats.
 */
export type DType =
  | "float32" | "uint8" | "int8" | "uint16" | "int16" | "int32" | "int64" | "string" | "bool" | "float16" | "float64"
  | "uint32" | "uint64" | "complex64" | "complex128" | "bfloat16" | "float8e4m3fn" | "float8e4m3fnuz" | "float8e5m2"
  | "float8e5m2fnuz" | "uint4" | "int4" | "float4e2m1" | "float8e8m0" | "uint2" | "int2" | "float6e2m3" | "float6e3m2"; // biome-ignore format: a table

/** The arrays that hold tensor elements; strings are a plain array. */
export type TensorData =
  | Float32Array | Float64Array | Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array
  | BigInt64Array | BigUint64Array | string[]; // biome-ignore format: a table

type NumericArrayConstructor =
  | Float32ArrayConstructor | Float64ArrayConstructor | Uint8ArrayConstructor | Int8ArrayConstructor
  | Uint16ArrayConstructor | Int16ArrayConstructor | Uint32ArrayConstructor | Int32ArrayConstructor
  | BigInt64ArrayConstructor | BigUint64ArrayConstructor; // biome-ignore format: a table

interface DTypeFacts {
  /** TensorProto.DataType. */
  readonly code: number;
  /** Bits of one element; 0 for strings. */
  readonly bits: number;
  /** Array that holds the elements; undefined for strings. */
  readonly array: NumericArrayConstructor | undefined;
}

// biome-ignore format: a table
const FACTS: { readonly [D in DType]: DTypeFacts } = {
  float32: { code: 1, bits: 32, array: Float32Array },
  uint8: { code: 2, bits: 8, array: Uint8Array },
  int8: { code: 3, bits: 8, array: Int8Array },
  uint16: { code: 4, bits: 16, array: Uint16Array },
  int16: { code: 5, bits: 16, array: Int16Array },
  int32: { code: 6, bits: 32, array: Int32Array },
  int64: { code: 7, bits: 64, array: BigInt64Array },
  string: { code: 8, bits: 0, array: undefined },
  bool: { code: 9, bits: 8, array: Uint8Array },
  float16: { code: 10, bits: 16, array: Uint16Array },
  float64: { code: 11, bits: 64, array: Float64Array },
  uint32: { code: 12, bits: 32, array: Uint32Array },
  uint64: { code: 13, bits: 64, array: BigUint64Array },
  complex64: { code: 14, bits: 64, array: Float32Array },
  complex128: { code: 15, bits: 128, array: Float64Array },
  bfloat16: { code: 16, bits: 16, array: Uint16Array },
  float8e4m3fn: { code: 17, bits: 8, array: Uint8Array },
  float8e4m3fnuz: { code: 18, bits: 8, array: Uint8Array },
  float8e5m2: { code: 19, bits: 8, array: Uint8Array },
  float8e5m2fnuz: { code: 20, bits: 8, array: Uint8Array },
  uint4: { code: 21, bits: 4, array: Uint8Array },
  int4: { code: 22, bits: 4, array: Uint8Array },
  float4e2m1: { code: 23, bits: 4, array: Uint8Array },
  float8e8m0: { code: 24, bits: 8, array: Uint8Array },
  uint2: { code: 25, bits: 2, array: Uint8Array },
  int2: { code: 26, bits: 2, array: Uint8Array },
  float6e2m3: { code: 27, bits: 6, array: Uint8Array },
  float6e3m2: { code: 28, bits: 6, array: Uint8Array },
};

const BY_CODE: ReadonlyMap<number, DType> = new Map(
  (Object.keys(FACTS) as DType[]).map((dtype) => [FACTS[dtype].code, dtype]),
);

/** Returns whether `name` is an element type. */
export function isDType(name: string): name is DType {
  return Object.hasOwn(FACTS, name);
}

/** Returns the number ONNX files use for an element type (`TensorProto.DataType`). */
export function dtypeCode(dtype: DType): number {
  return FACTS[dtype].code;
}

/** Returns the element type for ONNX's number, or undefined when it is unknown. */
export function dtypeFromCode(code: number): DType | undefined {
  return BY_CODE.get(code);
}

/** Returns the bits of one element; 0 for strings. */
export function bitsOf(dtype: DType): number {
  return FACTS[dtype].bits;
}

/** Returns the bytes that `count` elements take in an ONNX file, sub-byte types packed. */
export function byteLength(dtype: DType, count: number): number {
  return Math.ceil((FACTS[dtype].bits * count) / 8);
}

/** Returns whether elements are (unquantized) real numbers: float16, bfloat16, float32 or float64. */
export function isFloat(dtype: DType | undefined): boolean {
  return dtype === "float32" || dtype === "float16" || dtype === "bfloat16" || dtype === "float64";
}

/**
 * Returns the array class that holds elements of a type.
 *
 * @throws DTypeError for strings, which have none.
 */
export function arrayOf(dtype: DType): NumericArrayConstructor {
  const { array } = FACTS[dtype];
  if (array === undefined) throw new DTypeError("tensor: element type must be numeric, got string.");
  return array;
}
