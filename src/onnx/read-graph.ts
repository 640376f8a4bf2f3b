/** Reading a graph: names become values, and values are connected by identity. */
import { ModelFormatError } from "../errors.ts";
import { Graph, Value } from "../program/index.ts";
import type { GraphProto, TensorAnnotation, ValueInfoProto } from "./generated/onnx_pb.ts";
import type { GraphRecord, StrayEntries } from "./graph-record.ts";
import { orderNodes } from "./order-nodes.ts";
import { readConstant, readSparseConstant } from "./read-constant.ts";
import { readNode } from "./read-node.ts";
import { neverProduced, type ReadContext, Scope } from "./scope.ts";
import { extrasOf } from "./source-record.ts";
import { mergeTypes, readType, UNKNOWN_TYPE, type ValueType } from "./type-proto.ts";
import type { Placed, ValueRecord } from "./value-record.ts";

/** A value's record while the places that speak of it are still being read. */
type OpenRecord = ValueRecord & { type: ValueType };

/**
 * Reads a graph. The record is taken apart: what is left of it is kept in the graph's extras.
 *
 * @throws ModelFormatError if names are missing or defined twice, values are never produced, or nodes form a cycle.
 */
export function readGraph(proto: GraphProto, context: ReadContext, outer?: Scope): Graph {
  const scope = new Scope(outer);
  const records = new Map<Value, OpenRecord>();
  const recordFor = (value: Value): OpenRecord => {
    const known = records.get(value);
    if (known) return known;
    const record: OpenRecord = { type: UNKNOWN_TYPE };
    records.set(value, record);
    return record;
  };
  const describe = (value: Value, info: ValueInfoProto, role: "input" | "output"): void => {
    const record = recordFor(value);
    record[role] ??= info;
    record.type = mergeTypes(record.type, readType(info.type, `${context.where}: ${role} "${info.name}"`));
  };
  const inputs = proto.input.map((info) => {
    const value = define(scope, info.name, "input", context);
    describe(value, info, "input");
    return value;
  });
  const initializers = readInitializers(proto, scope, inputs, context);
  for (const node of proto.node) for (const name of node.output) if (name) define(scope, name, "node output", context);
  const readInner = (inner: GraphProto): Graph => readGraph(inner, context, scope);
  const nodes = proto.node.map((node) => readNode(node, scope, context, readInner));
  const outputs = proto.output.map((info) => {
    const value = scope.find(info.name);
    if (!value) throw neverProduced(`output "${info.name}" of graph "${proto.name}"`, info.name, context);
    describe(value, info, "output");
    return value;
  });
  const stray = { valueInfo: [] as Placed<ValueInfoProto>[], annotations: [] as Placed<TensorAnnotation>[] };
  proto.valueInfo.forEach((info, at) => {
    const value = scope.own(info.name);
    if (!value || records.get(value)?.info) {
      stray.valueInfo.push({ at, record: info });
      return;
    }
    const record = recordFor(value);
    record.info = { at, record: info };
    record.type = mergeTypes(record.type, readType(info.type, `${context.where}: value "${info.name}"`));
  });
  proto.quantizationAnnotation.forEach((annotation, at) => {
    const value = scope.own(annotation.tensorName);
    if (!value || records.get(value)?.annotation) stray.annotations.push({ at, record: annotation });
    else recordFor(value).annotation = { at, record: annotation };
  });
  for (const [value, { type, ...record }] of records) applyType(value, type, record);
  const graph = new Graph(proto.name, { inputs, outputs, initializers, nodes });
  orderNodes(graph, context.where);
  keepRest(graph, proto, stray);
  return graph;
}

function readInitializers(proto: GraphProto, scope: Scope, inputs: readonly Value[], context: ReadContext): Value[] {
  const defaults = new Set(inputs);
  const add = (name: string, read: (where: string) => Value["constant"]): Value => {
    const known = scope.own(name);
    const value = known && defaults.delete(known) ? known : define(scope, name, "initializer", context);
    const constant = read(`${context.where}: initializer "${name}"`);
    value.constant = constant;
    value.dtype = constant?.dtype;
    value.shape = constant?.shape;
    return value;
  };
  return [
    ...proto.initializer.map((tensor) => add(tensor.name, (where) => readConstant(tensor, context.external, where))),
    ...proto.sparseInitializer.map((tensor) =>
      add(tensor.values?.name ?? "", (where) => readSparseConstant(tensor, context.external, where)),
    ),
  ];
}

function define(scope: Scope, name: string, role: string, context: ReadContext): Value {
  if (name === "") throw new ModelFormatError(`${context.where}: every ${role} must have a name, got an empty one.`);
  if (scope.own(name)) {
    throw new ModelFormatError(`${context.where}: every value must be defined once, got a second "${name}" (${role}).`);
  }
  return scope.add(new Value(name));
}

function applyType(value: Value, type: ValueType, record: ValueRecord): void {
  if (!value.constant) {
    value.dtype = type.dtype;
    value.shape = type.shape;
    value.otherType = type.otherType;
  }
  record.dtype = value.dtype;
  record.shape = value.shape;
  record.otherType = value.otherType as ValueRecord["otherType"];
  const documented = record.input ?? record.output ?? record.info?.record;
  const { docString, metadata } = documented ? extrasOf(documented) : {};
  value.extras = { source: record, ...(docString && { docString }), ...(metadata && { metadata }) };
}

function keepRest(graph: Graph, proto: GraphProto, stray: StrayEntries): void {
  proto.node = [];
  proto.input = [];
  proto.output = [];
  proto.valueInfo = [];
  proto.initializer = [];
  proto.sparseInitializer = [];
  proto.quantizationAnnotation = [];
  graph.extras = { ...extrasOf(proto), source: { proto, stray } satisfies GraphRecord };
}
