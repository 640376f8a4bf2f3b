/** Replacing calls of functions that a model defines by the functions' nodes. */
import { clone } from "@bufbuild/protobuf";
import { ModelFormatError, UnsupportedError } from "../errors.ts";
import {
  type Attribute,
  cloneProgram,
  type FunctionDefinition,
  Graph,
  Node,
  type Program,
  Value,
} from "../program/index.ts";
import { type FunctionProto, FunctionProtoSchema, type NodeProto } from "./generated/onnx_pb.ts";
import { orderNodes } from "./order-nodes.ts";
import { readGraph } from "./read-graph.ts";
import { plainDomain, readAttribute, readNode } from "./read-node.ts";
import { Scope } from "./scope.ts";
import { OPERATOR_VERSIONS } from "./upgrade/operator-versions.ts";
import { upgradeNode } from "./upgrade/upgrade-nodes.ts";
import { floatTypeOf, type UpgradeContext } from "./upgrade/upgrade-rule.ts";

const WHERE = "inlineFunctions";

/** What inlining one program needs to know. */
interface Inlining {
  readonly functions: ReadonlyMap<string, FunctionDefinition>;
  readonly program: Program;
  readonly upgrade: UpgradeContext;
  /** Keys of the functions being expanded, outermost first. */
  readonly open: string[];
}

/**
 * Returns a program without functions of its own: every call is replaced by the function's nodes, so that passes see them and
 * the operator set can be upgraded. The program itself when it has no functions.
 *
 * @throws ModelFormatError if functions call themselves, or a call does not fit its function.
 * @throws UnsupportedError if a function was written for an operator set that cannot be brought to the model's.
 */
export function inlineFunctions(program: Program): Program {
  if (program.functions.length === 0) return program;
  const { program: inlined } = cloneProgram(program);
  const refusals: string[] = [];
  const inlining: Inlining = {
    functions: new Map(
      program.functions.map((definition) => [
        keyOf(definition.domain, definition.name, definition.overload),
        definition,
      ]),
    ),
    program: inlined,
    upgrade: {
      refuse: (node, reason) => {
        refusals.push(`${node.label}: ${reason}`);
      },
      floatType: floatTypeOf(inlined),
    },
    open: [],
  };
  expandGraph(inlined.graph, inlining);
  if (refusals.length > 0) {
    throw new UnsupportedError(
      `${WHERE}: functions must use the model's operator set (${program.opsets.get("")}) or one that can be brought to it, ` +
        `got ${refusals.slice(0, 12).join("; ")}.`,
    );
  }
  inlined.functions = [];
  const used = new Set([...inlined.allNodes()].map((node) => node.domain));
  for (const { domain } of program.functions) if (!used.has(domain)) inlined.opsets.delete(domain);
  return inlined;
}

function keyOf(domain: string, name: string, overload: string): string {
  return JSON.stringify([domain, name, overload]);
}

function expandGraph(graph: Graph, inlining: Inlining): void {
  graph.nodes = graph.nodes.flatMap((node) => expandNode(node, inlining));
}

function expandNode(node: Node, inlining: Inlining): Node[] {
  for (const subgraph of node.subgraphs) expandGraph(subgraph, inlining);
  const key = keyOf(node.domain, node.operator, node.overload);
  const definition = inlining.functions.get(key);
  if (!definition) return [node];
  if (inlining.open.includes(key)) {
    throw new ModelFormatError(`${WHERE}: functions must not call themselves, got ${node.label} inside itself.`);
  }
  inlining.open.push(key);
  const body = callBody(node, clone(FunctionProtoSchema, definition.source as FunctionProto), inlining);
  const nodes = body.flatMap((inner) => expandNode(inner, inlining));
  inlining.open.pop();
  return nodes;
}

/** The nodes of a function, connected as the call says. The record is used up. */
function callBody(call: Node, proto: FunctionProto, inlining: Inlining): Node[] {
  if (call.inputs.length > proto.input.length || call.outputs.length > proto.output.length) {
    throw new ModelFormatError(
      `${WHERE}: ${call.label} must have at most ${proto.input.length} inputs and ${proto.output.length} outputs, ` +
        `got ${call.inputs.length} and ${call.outputs.length}.`,
    );
  }
  const scope = new Scope();
  const missing = new Set<string>();
  proto.input.forEach((name, i) => {
    const value = call.inputs[i];
    if (value) scope.add(value, name);
    else missing.add(name);
  });
  dropInputs(proto.node, missing);
  const prefix = call.name || call.outputs.find((output) => output)?.name || call.operator;
  const passedOn = bindOutputs(call, proto, scope, prefix);
  const context = { external: undefined, where: WHERE };
  const nodes = proto.node.map((node) => readNode(node, scope, context, (graph) => readGraph(graph, context, scope)));
  const defaults = new Map(
    proto.attributeProto.map((record) => [
      record.name,
      readAttribute(record, call.label, context, (graph) => readGraph(graph, context, scope)),
    ]),
  );
  for (const node of nodes) bindAttributes(node, call.attributes, defaults);
  for (const [i, node] of nodes.entries()) node.name = `${prefix}/${node.name || `${node.operator}_${i}`}`;
  const body = new Graph(proto.name, { nodes: [...nodes, ...passedOn] });
  orderNodes(body, WHERE);
  return body.nodes.flatMap((node) => toModelOpset(node, proto, inlining));
}

/** Puts the values that the body produces in scope: the call's own where it asks for them. Inputs returned as they are need a node. */
function bindOutputs(call: Node, proto: FunctionProto, scope: Scope, prefix: string): Node[] {
  const wanted = new Map<string, Value>();
  const passedOn: Node[] = [];
  proto.output.forEach((name, i) => {
    const output = call.outputs[i];
    const source = scope.own(name) ?? wanted.get(name);
    if (!output) return;
    if (source) passedOn.push(new Node("Identity", [source], [output], { name: `${prefix}/${name}` }));
    else wanted.set(name, output);
  });
  for (const node of proto.node) {
    for (const name of node.output) if (name) scope.add(wanted.get(name) ?? new Value(`${prefix}/${name}`), name);
  }
  return passedOn;
}

/** Makes inputs that the call leaves out missing inputs of the nodes that would use them, in sub-graphs too. */
function dropInputs(nodes: readonly NodeProto[], missing: ReadonlySet<string>): void {
  if (missing.size === 0) return;
  for (const node of nodes) {
    node.input = node.input.map((name) => (missing.has(name) ? "" : name));
    for (const { g, graphs } of node.attribute) {
      for (const graph of g ? [g, ...graphs] : graphs) dropInputs(graph.node, missing);
    }
  }
}

/** Replaces references to the function's attributes by what the call gives, or by their defaults. */
function bindAttributes(
  node: Node,
  given: ReadonlyMap<string, Attribute>,
  defaults: ReadonlyMap<string, Attribute>,
): void {
  for (const [name, attribute] of [...node.attributes]) {
    if (attribute.kind !== "reference") continue;
    const { extras: _, ...value } = given.get(attribute.value) ?? defaults.get(attribute.value) ?? { kind: "none" };
    if (value.kind === "none") node.attributes.delete(name);
    else node.attributes.set(name, value as Attribute);
  }
  for (const subgraph of node.subgraphs) for (const inner of subgraph.nodes) bindAttributes(inner, given, defaults);
}

/** Brings a node from the operator set of its function to the model's. */
function toModelOpset(node: Node, proto: FunctionProto, { program, upgrade }: Inlining): readonly Node[] {
  for (const { domain, version } of proto.opsetImport) {
    const plain = plainDomain(domain);
    if (!program.opsets.has(plain)) program.opsets.set(plain, Number(version));
  }
  const target = program.opset;
  const source = Number(proto.opsetImport.find(({ domain }) => plainDomain(domain) === "")?.version ?? target);
  if (
    node.domain === "" &&
    OPERATOR_VERSIONS[node.operator]?.some((version) => version > target && version <= source)
  ) {
    upgrade.refuse(node, `it is of opset ${source}, newer than the model`);
  }
  return source < target ? upgradeNode(node, { source, target }, upgrade) : [node];
}
