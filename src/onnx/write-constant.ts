/** Writing constants as tensors of a file. */
import { create } from "@bufbuild/protobuf";
import type { Constant } from "../program/index.ts";
import { byteLength, dtypeCode, elementCount } from "../tensor/index.ts";
import {
  type SparseTensorProto,
  SparseTensorProtoSchema,
  type TensorProto,
  TensorProto_DataLocation,
  TensorProtoSchema,
} from "./generated/onnx_pb.ts";
import { copyOf, entriesOf, isRecord } from "./source-record.ts";
import { bytesOfTensor } from "./tensor-data.ts";

/** Writes the tensors of one model; what differs is where their bytes go. */
export type TensorWriter = (constant: Constant, name: string) => TensorProto;

/** Returns the bytes a constant takes, wherever they are; for strings, those of the message. */
export function constantBytes(constant: Constant): number {
  if (constant.dtype !== "string") return byteLength(constant.dtype, elementCount(constant.shape));
  return (constant.load().data as string[]).reduce((sum, text) => sum + 3 * text.length + 8, 0);
}

/** Writes a tensor as the file had it; made in code, with its data in the message. */
export const writeAsRead: TensorWriter = (constant, name) => {
  const record = recordOfConstant(constant);
  return record ? named(record, name) : writeInside(constant, name);
};

/** Writes a tensor with its data in the message. */
export const writeInside: TensorWriter = (constant, name) => {
  const record = recordOfConstant(constant);
  if (record && record.dataLocation !== TensorProto_DataLocation.EXTERNAL) return named(record, name);
  const proto = emptied(constant, name);
  const tensor = constant.load();
  if (tensor.dtype !== "string") proto.rawData = bytesOfTensor(tensor);
  else proto.stringData = (tensor.data as string[]).map((text) => new TextEncoder().encode(text));
  return proto;
};

/** Writes a tensor whose data are at `offset` of the file at `location`. */
export function writeOutside(constant: Constant, name: string, location: string, offset: number): TensorProto {
  const proto = emptied(constant, name);
  proto.dataLocation = TensorProto_DataLocation.EXTERNAL;
  proto.externalData = entriesOf([
    ["location", location],
    ["offset", String(offset)],
    ["length", String(constantBytes(constant))],
  ]);
  return proto;
}

/** Returns the sparse record of a constant that a file held as one. */
export function sparseRecordOf(constant: Constant, name: string): SparseTensorProto | undefined {
  if (!isRecord(SparseTensorProtoSchema, constant.source)) return undefined;
  const { values } = constant.source;
  if (!values || values.name === name) return constant.source;
  return Object.assign(copyOf(SparseTensorProtoSchema, constant.source), { values: named(values, name) });
}

/** Returns the bytes that external files hold for a constant. */
export function dataOf(constant: Constant): Uint8Array {
  return bytesOfTensor(constant.load());
}

/** Returns the file's record of a constant. */
export function recordOfConstant(constant: Constant): TensorProto | undefined {
  return isRecord(TensorProtoSchema, constant.source) ? constant.source : undefined;
}

function named(record: TensorProto, name: string): TensorProto {
  return record.name === name ? record : Object.assign(copyOf(TensorProtoSchema, record), { name });
}

/** A tensor's record without data: its name, type, shape and documentation. */
function emptied(constant: Constant, name: string): TensorProto {
  const record = recordOfConstant(constant);
  const proto = create(TensorProtoSchema, { dataType: dtypeCode(constant.dtype), dims: constant.shape.map(BigInt) });
  if (name !== "") proto.name = name;
  if (!record) return proto;
  if (record.docString) proto.docString = record.docString;
  proto.metadataProps = record.metadataProps;
  if (record.$unknown) proto.$unknown = record.$unknown;
  return proto;
}
