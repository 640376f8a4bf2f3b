/** The numbers of a TensorProto: from its raw bytes or its typed fields to a Tensor. */
import { ModelFormatError } from "../errors.ts";
import { arrayOf, bitsOf, byteLength, type DType, elementCount, Tensor, type TensorData } from "../tensor/index.ts";
import type { TensorProto } from "./generated/onnx_pb.ts";

const utf8 = new TextDecoder();

/** The field of TensorProto that holds a type's elements when raw_data does not. */
type DataField = "floatData" | "int32Data" | "stringData" | "int64Data" | "doubleData" | "uint64Data";

/** Returns the field in which elements of a type are written one by one. */
function dataField(dtype: DType): DataField {
  switch (dtype) {
    case "float32":
    case "complex64":
      return "floatData";
    case "float64":
    case "complex128":
      return "doubleData";
    case "int64":
      return "int64Data";
    case "uint32":
    case "uint64":
      return "uint64Data";
    case "string":
      return "stringData";
    default:
      return "int32Data";
  }
}

/** Number of entries in the typed field: complex numbers take two, four 2-bit or two 4-bit integers share one. */
function entryCount(dtype: DType, count: number): number {
  if (dtype === "complex64" || dtype === "complex128") return 2 * count;
  const bits = bitsOf(dtype);
  return bits === 4 || bits === 2 ? byteLength(dtype, count) : count;
}

/**
 * Checks that a tensor held in the message itself has exactly the data its type and shape ask for.
 *
 * @throws ModelFormatError if it has not.
 */
export function assertTensorData(proto: TensorProto, dtype: DType, shape: readonly number[], where: string): void {
  const count = elementCount(shape);
  if (hasRawData(proto)) {
    if (dtype === "string") throw new ModelFormatError(`${where}: strings must not be stored as raw data.`);
    const expected = byteLength(dtype, count);
    if (proto.rawData.byteLength === expected) return;
    throw new ModelFormatError(
      `${where}: ${dtype} of shape [${shape.join(", ")}] must have ${expected} bytes, got ${proto.rawData.byteLength}.`,
    );
  }
  const expected = entryCount(dtype, count);
  const got = proto[dataField(dtype)].length;
  if (got !== expected) {
    throw new ModelFormatError(
      `${where}: ${dtype} of shape [${shape.join(", ")}] must have ${expected} values, got ${got}.`,
    );
  }
}

/** Returns the tensor a TensorProto holds in its own fields; over its raw bytes where they are aligned, else a copy. */
export function decodeTensorData(proto: TensorProto, dtype: DType, shape: readonly number[]): Tensor {
  if (hasRawData(proto)) return tensorFromBytes(dtype, shape, proto.rawData);
  return new Tensor(dtype, shape, decodeEntries(proto, dtype, elementCount(shape)));
}

/** Returns a tensor over little-endian bytes, as raw_data and external files hold them; a view where they are aligned. */
export function tensorFromBytes(dtype: DType, shape: readonly number[], bytes: Uint8Array): Tensor {
  const array = arrayOf(dtype);
  const size = array.BYTES_PER_ELEMENT;
  // A copy by construction: a Node Buffer's own slice would be a view again.
  const aligned = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
  return new Tensor(
    dtype,
    shape,
    new array(aligned.buffer as ArrayBuffer, aligned.byteOffset, bytes.byteLength / size),
  );
}

/** Returns a numeric tensor's elements as the little-endian bytes that raw_data and external files hold; not a copy. */
export function bytesOfTensor(tensor: Tensor): Uint8Array {
  const data = tensor.data as Exclude<TensorData, string[]>;
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function hasRawData(proto: TensorProto): boolean {
  return Object.hasOwn(proto, "rawData") && (proto.rawData.byteLength > 0 || proto[dataFieldOf(proto)].length === 0);
}

function dataFieldOf(proto: TensorProto): DataField {
  const fields: readonly DataField[] = [
    "floatData",
    "int32Data",
    "stringData",
    "int64Data",
    "doubleData",
    "uint64Data",
  ];
  return fields.find((field) => proto[field].length > 0) ?? "int32Data";
}

function decodeEntries(proto: TensorProto, dtype: DType, count: number): TensorData {
  if (dtype === "string") return proto.stringData.map((bytes) => utf8.decode(bytes));
  if (dtype === "int64") return BigInt64Array.from(proto.int64Data);
  if (dtype === "uint64") return BigUint64Array.from(proto.uint64Data);
  if (dtype === "uint32") return Uint32Array.from(proto.uint64Data, Number);
  if (bitsOf(dtype) === 6) return packSixBit(proto.int32Data, count);
  // Typed arrays keep the low bits of what they are given, which is how int32_data stores the narrow types.
  const array = arrayOf(dtype) as Float32ArrayConstructor;
  return new array(proto[dataField(dtype) as "floatData" | "doubleData" | "int32Data"]);
}

/** Packs 6-bit codes, one an entry, into the contiguous bit stream that raw_data would hold, first code in the low bits. */
function packSixBit(codes: readonly number[], count: number): Uint8Array {
  const bytes = new Uint8Array(Math.ceil((6 * count) / 8));
  codes.forEach((code, i) => {
    const at = (6 * i) >> 3;
    const shifted = (code & 0x3f) << ((6 * i) & 7);
    bytes[at] = bytes[at]! | shifted;
    if (shifted > 0xff) bytes[at + 1] = bytes[at + 1]! | (shifted >> 8);
  });
  return bytes;
}
