/** Tensors across the border to ONNX Runtime's JavaScript packages: the same arrays on both sides, copied only if they must be. */
import type { Tensor as OrtTensor, TensorConstructor as OrtTensorConstructor } from "onnxruntime-common";
import { UnsupportedError } from "../errors.ts";
import { type DType, Tensor, type TensorData } from "../tensor/index.ts";

/** Element types that may enter or leave a model; the others make ONNX Runtime 1.30 throw, and int4 outputs abort Node. */
const TRANSFERABLE: ReadonlySet<string> = new Set<DType>([
  "float32",
  "float64",
  "float16",
  "uint8",
  "int8",
  "uint16",
  "int16",
  "uint32",
  "int32",
  "uint64",
  "int64",
  "bool",
  "string",
]);

/** Returns whether tensors of this type may be inputs and outputs of a session. */
export function isTransferable(dtype: string): dtype is DType {
  return TRANSFERABLE.has(dtype);
}

/**
 * Makes ONNX Runtime's tensor of ours, over the same memory (shared memory, which it refuses, is copied).
 *
 * @throws UnsupportedError for element types that cannot cross.
 */
export function toOrtTensor(tensor: Tensor, OrtTensorClass: OrtTensorConstructor): OrtTensor {
  const { dtype, shape, data } = tensor;
  if (!isTransferable(dtype)) {
    throw new UnsupportedError(
      `runtime: a model's input must be of 8 bits or more per element in a type JavaScript has, got ${dtype}. Cast inside the model.`,
    );
  }
  // The constructor's overloads list every pair of type and array; the pair is right by the contract of Tensor.
  return new OrtTensorClass(dtype as "float32", unshared(data) as Float32Array, shape);
}

/** Returns our tensor of an ONNX Runtime tensor in host memory, over the same memory. */
export function fromOrtTensor(tensor: OrtTensor): Tensor {
  return new Tensor(tensor.type, tensor.dims, withBits(tensor.data as TensorData, tensor.type));
}

function unshared(data: TensorData): TensorData {
  if (Array.isArray(data) || typeof SharedArrayBuffer === "undefined") return data;
  return data.buffer instanceof SharedArrayBuffer ? data.slice() : data;
}

/** Where JavaScript has Float16Array, ONNX Runtime uses it; ours are the bits. */
function withBits(data: TensorData, type: string): TensorData {
  if (type !== "float16" || data instanceof Uint16Array || Array.isArray(data)) return data;
  return new Uint16Array(data.buffer, data.byteOffset, data.length);
}
