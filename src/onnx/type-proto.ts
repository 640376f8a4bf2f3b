/** Types of values: between the file's TypeProto and a value's `dtype` and `shape`. */
import { create } from "@bufbuild/protobuf";
import { ModelFormatError } from "../errors.ts";
import type { Dimension, Shape } from "../program/index.ts";
import { type DType, dtypeCode, dtypeFromCode } from "../tensor/index.ts";
import {
  type TensorShapeProto,
  type TensorShapeProto_Dimension,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  type TypeProto,
  TypeProto_TensorSchema,
  TypeProtoSchema,
} from "./generated/onnx_pb.ts";

/** What is known of a value's type; all undefined when nothing is. */
export interface ValueType {
  readonly dtype: DType | undefined;
  readonly shape: Shape | undefined;
  /** The record of a type that is not a plain tensor: sequence, map, optional, sparse, opaque. */
  readonly otherType: TypeProto | undefined;
}

/** The type of which nothing is known. */
export const UNKNOWN_TYPE: ValueType = { dtype: undefined, shape: undefined, otherType: undefined };

/**
 * Reads a type record.
 *
 * @throws ModelFormatError if the element type is one that ONNX does not define.
 */
export function readType(type: TypeProto | undefined, where: string): ValueType {
  if (type?.value.case === undefined) return UNKNOWN_TYPE;
  if (type.value.case !== "tensorType") return { dtype: undefined, shape: undefined, otherType: type };
  const { elemType, shape } = type.value.value;
  return {
    dtype: elemType === 0 ? undefined : readDType(elemType, where),
    shape: shape && readShape(shape),
    otherType: undefined,
  };
}

/** Returns the element type for the file's number. @throws ModelFormatError if there is none. */
export function readDType(code: number, where: string): DType {
  const dtype = dtypeFromCode(code);
  if (dtype === undefined) {
    throw new ModelFormatError(`${where}: element type must be one of ONNX's (1 to 28), got ${code}.`);
  }
  return dtype;
}

/** Returns a tensor type record. */
export function writeType(dtype: DType, shape: Shape | undefined): TypeProto {
  const tensor = create(TypeProto_TensorSchema, { elemType: dtypeCode(dtype) });
  if (shape) tensor.shape = create(TensorShapeProtoSchema, { dim: shape.map(writeDimension) });
  return create(TypeProtoSchema, { value: { case: "tensorType", value: tensor } });
}

/** Returns whether two shapes say the same. */
export function sameShape(a: Shape | undefined, b: Shape | undefined): boolean {
  if (a === b) return true;
  return a !== undefined && b !== undefined && a.length === b.length && a.every((length, axis) => length === b[axis]);
}

/** Returns what two records of one value say together; where they disagree the first is believed. */
export function mergeTypes(a: ValueType, b: ValueType): ValueType {
  return {
    dtype: a.dtype ?? b.dtype,
    shape: mergeShapes(a.shape, b.shape),
    otherType: a.otherType ?? b.otherType,
  };
}

function mergeShapes(a: Shape | undefined, b: Shape | undefined): Shape | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  if (a.length !== b.length) return a;
  return a.map((length, axis) => mergeDimensions(length, b[axis] ?? null));
}

function mergeDimensions(a: Dimension, b: Dimension): Dimension {
  if (typeof a === "number" || b === null) return a;
  return a === null || typeof b === "number" ? b : a;
}

function readShape(shape: TensorShapeProto): Shape {
  return shape.dim.map(({ value }) => {
    // Some exporters write -1 for an unknown length.
    if (value.case === "dimValue") return value.value < 0n ? null : Number(value.value);
    return value.case === "dimParam" && value.value !== "" ? value.value : null;
  });
}

function writeDimension(length: Dimension): TensorShapeProto_Dimension {
  if (length === null) return create(TensorShapeProto_DimensionSchema);
  return create(TensorShapeProto_DimensionSchema, {
    value:
      typeof length === "number" ? { case: "dimValue", value: BigInt(length) } : { case: "dimParam", value: length },
  });
}
