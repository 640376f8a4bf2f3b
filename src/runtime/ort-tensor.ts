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

/** Returns our tensor of an ONNX Runtime tensor: over the same memory if that is the host's, else downloaded and freed there. */
export async function fromOrtTensor(tensor: OrtTensor): Promise<Tensor> {
  const data = isOnHost(tensor) ? tensor.data : await tensor.getData(true);
  return new Tensor(tensor.type, tensor.dims, withBits(data as TensorData, tensor.type));
}

/** Returns our tensor of an ONNX Runtime tensor, which stays as it is. */
export async function copyOfOrtTensor(tensor: OrtTensor): Promise<Tensor> {
  const data = (isOnHost(tensor) ? tensor.data : await tensor.getData()) as TensorData;
  return new Tensor(tensor.type, tensor.dims, withBits(data.slice(), tensor.type));
}

/** Whether a tensor's numbers are in host memory. */
export function isOnHost(tensor: OrtTensor): boolean {
  return tensor.location === "cpu" || tensor.location === "cpu-pinned";
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
