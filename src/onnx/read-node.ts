/** Reading nodes and their attributes. */
import { ModelFormatError } from "../errors.ts";
import { type Attribute, type AttributeValue, type Graph, Node } from "../program/index.ts";
import {
  type AttributeProto,
  type GraphProto,
  AttributeProto_AttributeType as Kind,
  type NodeProto,
} from "./generated/onnx_pb.ts";
import { readConstant } from "./read-constant.ts";
import { neverProduced, type ReadContext, type Scope } from "./scope.ts";
import { extrasOf } from "./source-record.ts";

/** Reads a graph held by an attribute, in the scope of the node that holds it. */
export type SubgraphReader = (proto: GraphProto) => Graph;

/**
 * Reads a node, whose output values are in the scope already. The record is taken apart; what is left of it is kept in the
 * node's extras.
 *
 * @throws ModelFormatError if an input is never produced or an attribute is malformed.
 */
export function readNode(proto: NodeProto, scope: Scope, context: ReadContext, readSubgraph: SubgraphReader): Node {
  const label = proto.name || proto.output.find((name) => name) || "";
  if (!proto.opType) throw new ModelFormatError(`${context.where}: node "${label}" must name its operator, got none.`);
  const who = `${proto.opType} (${label})`;
  const inputs = proto.input.map((name) => {
    if (name === "") return undefined;
    const value = scope.find(name);
    if (!value) throw neverProduced(`input "${name}" of ${who}`, name, context);
    return value;
  });
  const outputs = proto.output.map((name) => (name ? scope.own(name) : undefined));
  const node = new Node(proto.opType, inputs, outputs, {
    domain: plainDomain(proto.domain),
    name: proto.name,
  });
  node.overload = proto.overload;
  for (const attribute of proto.attribute) {
    if (node.attributes.has(attribute.name)) {
      throw new ModelFormatError(
        `${context.where}: ${who} must have each attribute once, got "${attribute.name}" twice.`,
      );
    }
    node.attributes.set(attribute.name, readAttribute(attribute, who, context, readSubgraph));
  }
  proto.input = [];
  proto.output = [];
  proto.attribute = [];
  node.extras = extrasOf(proto);
  return node;
}

/** Returns a domain in the spelling programs use: "" for ONNX's own. */
export function plainDomain(domain: string): string {
  return domain === "ai.onnx" ? "" : domain;
}

/** Reads an attribute of `who`; the record is taken apart. @throws ModelFormatError if it is malformed. */
export function readAttribute(
  proto: AttributeProto,
  who: string,
  context: ReadContext,
  readSubgraph: SubgraphReader,
): Attribute {
  const value = takeValue(proto, `${context.where}: attribute "${proto.name}" of ${who}`, context, readSubgraph);
  // What is left is the name, documentation, and which of the optional fields were there.
  return value.kind === "opaque" ? value : { ...value, extras: { source: proto } };
}

/** Takes the value out of an attribute's record. */
function takeValue(
  proto: AttributeProto,
  where: string,
  context: ReadContext,
  readSubgraph: SubgraphReader,
): AttributeValue {
  if (proto.refAttrName) return { kind: "reference", value: proto.refAttrName, type: proto.type };
  switch (Object.hasOwn(proto, "type") ? proto.type : guessKind(proto)) {
    case Kind.FLOAT:
      return { kind: "float", value: proto.f };
    case Kind.INT:
      return { kind: "int", value: proto.i };
    case Kind.STRING:
      return { kind: "string", value: proto.s };
    case Kind.TENSOR: {
      if (!proto.t) throw new ModelFormatError(`${where}: its tensor must be there, got none.`);
      const value = readConstant(proto.t, context.external, where);
      delete proto.t;
      return { kind: "tensor", value };
    }
    case Kind.GRAPH: {
      if (!proto.g) throw new ModelFormatError(`${where}: its graph must be there, got none.`);
      const value = readSubgraph(proto.g);
      delete proto.g;
      return { kind: "graph", value };
    }
    case Kind.FLOATS:
      return { kind: "floats", value: take(proto, "floats") };
    case Kind.INTS:
      return { kind: "ints", value: take(proto, "ints") };
    case Kind.STRINGS:
      return { kind: "strings", value: take(proto, "strings") };
    case Kind.TENSORS:
      return {
        kind: "tensors",
        value: take(proto, "tensors").map((tensor) => readConstant(tensor, context.external, where)),
      };
    case Kind.GRAPHS:
      return { kind: "graphs", value: take(proto, "graphs").map(readSubgraph) };
    default:
      return { kind: "opaque", value: proto };
  }
}

function take<Field extends "floats" | "ints" | "strings" | "tensors" | "graphs">(
  proto: AttributeProto,
  field: Field,
): AttributeProto[Field] {
  const values = proto[field];
  proto[field] = [] as unknown[] as AttributeProto[Field];
  return values;
}

/** The kind of an attribute in files of 2017, which did not say it. */
function guessKind(proto: AttributeProto): Kind {
  if (Object.hasOwn(proto, "f")) return Kind.FLOAT;
  if (Object.hasOwn(proto, "i")) return Kind.INT;
  if (Object.hasOwn(proto, "s")) return Kind.STRING;
  if (proto.t) return Kind.TENSOR;
  if (proto.g) return Kind.GRAPH;
  if (proto.floats.length > 0) return Kind.FLOATS;
  if (proto.ints.length > 0) return Kind.INTS;
  if (proto.strings.length > 0) return Kind.STRINGS;
  if (proto.tensors.length > 0) return Kind.TENSORS;
  return proto.graphs.length > 0 ? Kind.GRAPHS : Kind.UNDEFINED;
}
