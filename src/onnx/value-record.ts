/** What a file says about one value, in the up to three places where it may say it. */
import type { Shape, Value } from "../program/index.ts";
import type { DType } from "../tensor/index.ts";
import type { TensorAnnotation, TypeProto, ValueInfoProto } from "./generated/onnx_pb.ts";
import { sameShape } from "./type-proto.ts";

/** An entry of one of a graph's lists, with its place there. */
export interface Placed<T> {
  readonly at: number;
  readonly record: T;
}

/** The `source` in a value's extras. `dtype`, `shape` and `otherType` are what was read, to see whether they changed. */
export interface ValueRecord {
  input?: ValueInfoProto;
  output?: ValueInfoProto;
  info?: Placed<ValueInfoProto>;
  annotation?: Placed<TensorAnnotation>;
  dtype?: DType | undefined;
  shape?: Shape | undefined;
  otherType?: TypeProto | undefined;
}

/** Returns what the file said about a value; undefined for values made in code. */
export function valueRecordOf(value: Value): ValueRecord | undefined {
  return value.extras?.source as ValueRecord | undefined;
}

/** Returns whether a value's type is still as it was read. */
export function isTypeAsRead(value: Value, record: ValueRecord): boolean {
  return value.dtype === record.dtype && value.otherType === record.otherType && sameShape(value.shape, record.shape);
}
