/** Writing nodes and their attributes. */
import { create } from "@bufbuild/protobuf";
import type { Attribute, Graph, Node, Value } from "../program/index.ts";
import {
  type AttributeProto,
  AttributeProtoSchema,
  type GraphProto,
  AttributeProto_AttributeType as Kind,
  type NodeProto,
  NodeProtoSchema,
} from "./generated/onnx_pb.ts";
import { plainDomain } from "./read-node.ts";
import { copyOf, isRecord, recordOf } from "./source-record.ts";
import type { TensorWriter } from "./write-constant.ts";

/** What writing needs to know besides the program. */
export interface WriteContext {
  readonly nameOf: (value: Value, user: string) => string;
  readonly writeTensor: TensorWriter;
}

/** Writes a node, its sub-graphs by `writeSubgraph`. */
export function writeNode(node: Node, context: WriteContext, writeSubgraph: (graph: Graph) => GraphProto): NodeProto {
  const proto = recordOf(NodeProtoSchema, node.extras);
  const nameOf = (value: Value | undefined): string => (value ? context.nameOf(value, node.label) : "");
  proto.opType = node.operator;
  if (proto.name !== node.name) proto.name = node.name;
  if (plainDomain(proto.domain) !== node.domain) proto.domain = node.domain;
  if (proto.overload !== node.overload) proto.overload = node.overload;
  proto.input = node.inputs.map(nameOf);
  proto.output = node.outputs.map(nameOf);
  proto.attribute = Array.from(node.attributes, ([name, attribute]) =>
    writeAttribute(name, attribute, context.writeTensor, writeSubgraph),
  );
  return proto;
}

const KINDS = {
  float: Kind.FLOAT,
  int: Kind.INT,
  string: Kind.STRING,
  tensor: Kind.TENSOR,
  graph: Kind.GRAPH,
  floats: Kind.FLOATS,
  ints: Kind.INTS,
  strings: Kind.STRINGS,
  tensors: Kind.TENSORS,
  graphs: Kind.GRAPHS,
} as const;

function writeAttribute(
  name: string,
  attribute: Attribute,
  writeTensor: TensorWriter,
  writeSubgraph: (graph: Graph) => GraphProto,
): AttributeProto {
  if (attribute.kind === "opaque") {
    if (!isRecord(AttributeProtoSchema, attribute.value)) {
      throw new Error(`internal: opaque attribute "${name}" must be a record read from a file`);
    }
    return Object.assign(copyOf(AttributeProtoSchema, attribute.value), { name });
  }
  const source = attribute.extras?.source;
  const known = isRecord(AttributeProtoSchema, source);
  const proto = known ? copyOf(AttributeProtoSchema, source) : create(AttributeProtoSchema);
  proto.name = name;
  if (attribute.kind === "reference") {
    proto.refAttrName = attribute.value;
    if (!known) proto.type = attribute.type as Kind;
    return proto;
  }
  if (!known) proto.type = KINDS[attribute.kind];
  setValue(proto, attribute, writeTensor, writeSubgraph);
  return proto;
}

function setValue(
  proto: AttributeProto,
  attribute: Exclude<Attribute, { kind: "reference" | "opaque" }>,
  writeTensor: TensorWriter,
  writeSubgraph: (graph: Graph) => GraphProto,
): void {
  // The name of a tensor in an attribute means nothing, but is kept.
  const tensor = (constant: Parameters<TensorWriter>[0]) =>
    writeTensor(constant, (constant.source as { name?: string } | undefined)?.name ?? "");
  switch (attribute.kind) {
    case "float":
      proto.f = attribute.value;
      break;
    case "int":
      proto.i = attribute.value;
      break;
    case "string":
      proto.s = attribute.value;
      break;
    case "tensor":
      proto.t = tensor(attribute.value);
      break;
    case "graph":
      proto.g = writeSubgraph(attribute.value);
      break;
    case "floats":
      proto.floats = [...attribute.value];
      break;
    case "ints":
      proto.ints = [...attribute.value];
      break;
    case "strings":
      proto.strings = [...attribute.value];
      break;
    case "tensors":
      proto.tensors = attribute.value.map(tensor);
      break;
    case "graphs":
      proto.graphs = attribute.value.map(writeSubgraph);
      break;
  }
}
