/** Reading tensors of a file as constants whose numbers are decoded only when asked for. */
import { ModelFormatError, UnsupportedError } from "../errors.ts";
import type { Constant } from "../program/index.ts";
import { byteLength, type DType, elementCount } from "../tensor/index.ts";
import type { ExternalDataSource } from "./external-data.ts";
import { type ExternalReference, externalReference } from "./external-reference.ts";
import { type SparseTensorProto, type TensorProto, TensorProto_DataLocation } from "./generated/onnx_pb.ts";
import { densify } from "./sparse-tensor.ts";
import { assertTensorData, decodeTensorData, tensorFromBytes } from "./tensor-data.ts";
import { readDType } from "./type-proto.ts";

/** Reads a tensor. @throws ModelFormatError if type, shape and data do not fit, or external data are missing. */
export function readConstant(proto: TensorProto, external: ExternalDataSource | undefined, where: string): Constant {
  const dtype = readDType(proto.dataType, where);
  const shape = readDimensions(proto.dims, where);
  if (proto.segment) throw new UnsupportedError(`${where}: a tensor must be stored whole, got a segment of one.`);
  if (proto.dataLocation === TensorProto_DataLocation.EXTERNAL) {
    const reference = externalReference(proto, where);
    assertExternal(reference, dtype, shape, external, where);
    return { dtype, shape, source: proto, load: () => loadExternal(reference, dtype, shape, external, where) };
  }
  assertTensorData(proto, dtype, shape, where);
  return { dtype, shape, source: proto, load: () => decodeTensorData(proto, dtype, shape) };
}

/** Reads a sparse tensor as a constant that is dense once loaded. @throws ModelFormatError as `readConstant`. */
export function readSparseConstant(
  proto: SparseTensorProto,
  external: ExternalDataSource | undefined,
  where: string,
): Constant {
  if (!proto.values || !proto.indices) {
    throw new ModelFormatError(`${where}: a sparse tensor must have values and indices, got none.`);
  }
  const values = readConstant(proto.values, external, where);
  const indices = readConstant(proto.indices, external, where);
  const shape = readDimensions(proto.dims, where);
  return {
    dtype: values.dtype,
    shape,
    source: proto,
    load: () => densify(values.load(), indices.load(), shape, where),
  };
}

function readDimensions(dims: readonly bigint[], where: string): number[] {
  const shape = dims.map(Number);
  const size = elementCount(shape);
  if (shape.some((length) => length < 0) || !Number.isSafeInteger(size) || !shape.every(Number.isSafeInteger)) {
    throw new ModelFormatError(`${where}: axis lengths must be 0 or more and fit in memory, got [${dims.join(", ")}].`);
  }
  return shape;
}

function assertExternal(
  { location, offset, length }: ExternalReference,
  dtype: DType,
  shape: readonly number[],
  external: ExternalDataSource | undefined,
  where: string,
): void {
  if (dtype === "string") throw new ModelFormatError(`${where}: strings must not be stored as external data.`);
  if (!external) {
    throw new ModelFormatError(
      `${where}: its data lie in the file "${location}" beside the model, which must be given, got none. ` +
        `Read the model from its folder, or give that file's bytes (externalFromMap).`,
    );
  }
  const expected = byteLength(dtype, elementCount(shape));
  const available = external.sizeBytes(location) - offset;
  const got = length ?? available;
  if (got !== expected) {
    throw new ModelFormatError(
      `${where}: ${dtype} of shape [${shape.join(", ")}] must have ${expected} bytes in "${location}", got ${got}.`,
    );
  }
  if (available < expected) {
    throw new ModelFormatError(
      `${where}: "${location}" must have ${expected} bytes from offset ${offset}, got ${Math.max(0, available)}. ` +
        `The file is truncated or belongs to another model.`,
    );
  }
}

function loadExternal(
  { location, offset }: ExternalReference,
  dtype: DType,
  shape: readonly number[],
  external: ExternalDataSource | undefined,
  where: string,
) {
  if (!external) throw new Error(`internal: ${where} was read without its external data`);
  return tensorFromBytes(dtype, shape, external.read(location, offset, byteLength(dtype, elementCount(shape))));
}
