/** Writing graphs. */
import { create } from "@bufbuild/protobuf";
import type { Graph, Value } from "../program/index.ts";
import {
  type GraphProto,
  GraphProtoSchema,
  type TensorAnnotation,
  TensorAnnotationSchema,
  type TypeProto,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "./generated/onnx_pb.ts";
import type { GraphRecord } from "./graph-record.ts";
import { copyOf, recordOf } from "./source-record.ts";
import { writeType } from "./type-proto.ts";
import { isTypeAsRead, type Placed, valueRecordOf } from "./value-record.ts";
import { sparseRecordOf } from "./write-constant.ts";
import { type WriteContext, writeNode } from "./write-node.ts";

/** Writes a graph and the graphs inside it. */
export function writeGraph(
  graph: Graph,
  constants: ReadonlyMap<Graph, readonly Value[]>,
  context: WriteContext,
): GraphProto {
  const record = graph.extras?.source as GraphRecord | undefined;
  const proto = recordOf(GraphProtoSchema, graph.extras && { ...graph.extras, source: record?.proto });
  if (proto.name !== graph.name) proto.name = graph.name;
  const own = constants.get(graph) ?? [];
  const nameOf = (value: Value): string => context.nameOf(value, `graph "${graph.name}"`);
  // The record's own lists belong to the program, which may be written again.
  proto.initializer = [];
  proto.sparseInitializer = [];
  // New lists: those of the file's record must stay as they are, for the next time it is written.
  proto.initializer = [];
  proto.sparseInitializer = [];
  for (const value of own) {
    const sparse = sparseRecordOf(value.constant!, nameOf(value));
    if (sparse) proto.sparseInitializer.push(sparse);
    else proto.initializer.push(context.writeTensor(value.constant!, nameOf(value)));
  }
  proto.node = graph.nodes.map((node) => writeNode(node, context, (inner) => writeGraph(inner, constants, context)));
  proto.input = graph.inputs.map((value) => describe(value, nameOf(value), valueRecordOf(value)?.input));
  proto.output = graph.outputs.map((value) => describe(value, nameOf(value), valueRecordOf(value)?.output));
  const produced = graph.nodes.flatMap((node) => node.outputs.filter((output) => output !== undefined));
  const defined = [...new Set([...graph.inputs, ...own, ...produced])];
  proto.valueInfo = inPlace(defined, record?.stray.valueInfo, (value) => infoOf(value, nameOf(value)));
  proto.quantizationAnnotation = inPlace(defined, record?.stray.annotations, (value) =>
    annotationOf(value, nameOf(value)),
  );
  return proto;
}

/** The entries of values in the order the file had them, with the entries that belong to no value. */
function inPlace<T>(
  values: readonly Value[],
  stray: readonly Placed<T>[] = [],
  entryOf: (value: Value) => Placed<T> | undefined,
): T[] {
  const entries = values.map(entryOf).filter((entry) => entry !== undefined);
  return [...entries, ...stray].sort((a, b) => a.at - b.at).map(({ record }) => record);
}

function infoOf(value: Value, name: string): Placed<ValueInfoProto> | undefined {
  const record = valueRecordOf(value);
  if (!record?.info) return undefined;
  return { at: record.info.at, record: describe(value, name, record.info.record) };
}

function annotationOf(value: Value, name: string): Placed<TensorAnnotation> | undefined {
  const annotation = valueRecordOf(value)?.annotation;
  if (!annotation || annotation.record.tensorName === name) return annotation;
  const record = Object.assign(copyOf(TensorAnnotationSchema, annotation.record), { tensorName: name });
  return { at: annotation.at, record };
}

/** A value's description, as the file had it unless name or type changed. */
function describe(value: Value, name: string, known: ValueInfoProto | undefined): ValueInfoProto {
  const record = valueRecordOf(value);
  if (known && record && isTypeAsRead(value, record)) {
    return known.name === name ? known : Object.assign(copyOf(ValueInfoProtoSchema, known), { name });
  }
  const info = known ? copyOf(ValueInfoProtoSchema, known) : create(ValueInfoProtoSchema);
  if (!known && value.extras?.docString) info.docString = value.extras.docString;
  info.name = name;
  const type = typeOf(value);
  if (type) info.type = type;
  else delete info.type;
  return info;
}

function typeOf(value: Value): TypeProto | undefined {
  if (value.otherType) return value.otherType as TypeProto;
  return value.dtype && writeType(value.dtype, value.shape);
}
