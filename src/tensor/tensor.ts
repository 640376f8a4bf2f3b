/** Tensors: numbers in host memory, with shape and element type. (Values, which are symbolic, are in program/.) */
import { DTypeError, ShapeError } from "../errors.ts";
import { arrayOf, bitsOf, byteLength, type DType, type TensorData } from "./dtype.ts";
import { bfloat16ToNumber, halfToNumber, numberToBfloat16, numberToHalf } from "./half-float.ts";

/** Returns the number of elements of a shape; 1 for a scalar's `[]`. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

/**
 * A dense array of numbers (or strings) with a shape and an element type, in row-major order.
 *
 * @throws ShapeError if `data` does not hold exactly the elements of `shape`.
 * @example
 * const tensor = new Tensor("float32", [2, 3], new Float32Array(6));
 */
export class Tensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TensorData;

  constructor(dtype: DType, shape: readonly number[], data: TensorData) {
    const count = elementCount(shape);
    const perElement = dtype === "complex64" || dtype === "complex128" ? 2 : 1;
    const bits = bitsOf(dtype);
    const expected = bits > 0 && bits < 8 ? byteLength(dtype, count) : count * perElement;
    if (data.length !== expected) {
      throw new ShapeError(
        `tensor: ${dtype} of shape [${shape.join(", ")}] must hold ${expected} array elements, got ${data.length}.`,
      );
    }
    this.dtype = dtype;
    this.shape = shape;
    this.data = data;
  }

  /** Number of elements. */
  get size(): number {
    return elementCount(this.shape);
  }

  /** Bytes the elements take in an ONNX file, sub-byte types packed. */
  get sizeBytes(): number {
    return byteLength(this.dtype, this.size);
  }
}

/**
 * Returns a tensor's elements as float64 numbers, whatever its element type; int64 beyond 2^53 loses low bits.
 *
 * @throws DTypeError for strings, complex numbers and the 4-, 6- and 8-bit floats.
 */
export function toNumbers(tensor: Tensor): Float64Array {
  const { dtype, data } = tensor;
  if (dtype === "float16") return Float64Array.from(data as Uint16Array, halfToNumber);
  if (dtype === "bfloat16") return Float64Array.from(data as Uint16Array, bfloat16ToNumber);
  if (dtype === "int4" || dtype === "uint4" || dtype === "int2" || dtype === "uint2") return unpackIntegers(tensor);
  if (
    dtype.startsWith("float8e") ||
    dtype.startsWith("float6e") ||
    dtype.startsWith("float4e") ||
    dtype.startsWith("complex") ||
    dtype === "string"
  ) {
    throw new DTypeError(`tensor: element type must be a plain number to be read as float64, got ${dtype}.`);
  }
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    const numbers = new Float64Array(data.length);
    for (let i = 0; i < data.length; i++) numbers[i] = Number(data[i]);
    return numbers;
  }
  return Float64Array.from(data as Float32Array);
}

/** Returns the elements as float32, without a copy when they are float32 already. See `toNumbers` for what is refused. */
export function toFloat32(tensor: Tensor): Float32Array {
  return tensor.dtype === "float32" ? (tensor.data as Float32Array) : Float32Array.from(toNumbers(tensor));
}

function unpackIntegers(tensor: Tensor): Float64Array {
  const bits = bitsOf(tensor.dtype);
  const signed = tensor.dtype.startsWith("int");
  const bytes = tensor.data as Uint8Array;
  const perByte = 8 / bits;
  const numbers = new Float64Array(tensor.size);
  for (let i = 0; i < numbers.length; i++) {
    const code = (bytes[Math.floor(i / perByte)]! >> ((i % perByte) * bits)) & (2 ** bits - 1);
    numbers[i] = signed && code >= 2 ** (bits - 1) ? code - 2 ** bits : code;
  }
  return numbers;
}

/** Returns integers packed as ONNX packs int4/uint4/int2/uint2: first element in the low bits of each byte. */
export function packIntegers(values: ArrayLike<number>, bits: 2 | 4): Uint8Array {
  const perByte = 8 / bits;
  const bytes = new Uint8Array(Math.ceil(values.length / perByte));
  const mask = 2 ** bits - 1;
  for (let i = 0; i < values.length; i++) {
    const at = Math.floor(i / perByte);
    bytes[at] = bytes[at]! | ((values[i]! & mask) << ((i % perByte) * bits));
  }
  return bytes;
}

/** Makes a float32 tensor. */
export function float32(shape: readonly number[], values: Iterable<number> | Float32Array): Tensor {
  return new Tensor("float32", shape, values instanceof Float32Array ? values : Float32Array.from(values));
}

/** Makes an int64 tensor, by default a vector of all `values`. */
export function int64(values: readonly number[], shape: readonly number[] = [values.length]): Tensor {
  return new Tensor("int64", shape, BigInt64Array.from(values, BigInt));
}

/** Makes a tensor of a numeric type of at least 8 bits from plain numbers, rounded to that type. */
export function tensorOf(dtype: DType, shape: readonly number[], numbers: ArrayLike<number>): Tensor {
  if (dtype === "float16") return new Tensor(dtype, shape, Uint16Array.from(numbers, numberToHalf));
  if (dtype === "bfloat16") return new Tensor(dtype, shape, Uint16Array.from(numbers, numberToBfloat16));
  const data = new (arrayOf(dtype))(numbers.length);
  const wide = data instanceof BigInt64Array || data instanceof BigUint64Array;
  for (let i = 0; i < numbers.length; i++) data[i] = wide ? BigInt(numbers[i]!) : numbers[i]!;
  return new Tensor(dtype, shape, data);
}

/** Makes a zero-filled tensor of a numeric type. */
export function zeros(dtype: DType, shape: readonly number[]): Tensor {
  const count = elementCount(shape);
  const bits = bitsOf(dtype);
  return new Tensor(dtype, shape, new (arrayOf(dtype))(bits < 8 ? byteLength(dtype, count) : count));
}
