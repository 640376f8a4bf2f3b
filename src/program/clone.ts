/** Copying programs, so that a transformation can leave its input as it was. */
import type { Attribute } from "./attribute.ts";
import { Graph } from "./graph.ts";
import { Node } from "./node.ts";
import { Program } from "./program.ts";
import { Value } from "./value.ts";

/** A copied program, with the way from each original value to its copy. */
export interface ClonedProgram {
  readonly program: Program;
  readonly values: ReadonlyMap<Value, Value>;
}

/** Copies a program: nodes, values and attributes are new, the constants' numbers are shared. */
export function cloneProgram(original: Program): ClonedProgram {
  const values = new Map<Value, Value>();
  const program = new Program(cloneGraph(original.graph, values), original.opsets, original.irVersion);
  program.functions = [...original.functions];
  program.producerName = original.producerName;
  program.producerVersion = original.producerVersion;
  program.domain = original.domain;
  program.modelVersion = original.modelVersion;
  program.extras = original.extras;
  return { program, values };
}

function cloneGraph(graph: Graph, values: Map<Value, Value>): Graph {
  const copy = (value: Value): Value => {
    const known = values.get(value);
    if (known) return known;
    const made = new Value(value.name, value.dtype, value.shape);
    made.constant = value.constant;
    made.otherType = value.otherType;
    made.extras = value.extras;
    values.set(value, made);
    return made;
  };
  const copyAttribute = (attribute: Attribute): Attribute => {
    if (attribute.kind === "graph") return { ...attribute, value: cloneGraph(attribute.value, values) };
    if (attribute.kind === "graphs")
      return { ...attribute, value: attribute.value.map((inner) => cloneGraph(inner, values)) };
    return attribute;
  };
  const optional = (value: Value | undefined): Value | undefined => value && copy(value);
  const inputs = graph.inputs.map(copy);
  const initializers = graph.initializers.map(copy);
  const nodes = graph.nodes.map((node) => {
    const made = new Node(node.operator, node.inputs.map(optional), node.outputs.map(optional), {
      domain: node.domain,
      name: node.name,
    });
    for (const [name, attribute] of node.attributes) made.attributes.set(name, copyAttribute(attribute));
    made.overload = node.overload;
    made.gradient = node.gradient;
    made.extras = node.extras;
    return made;
  });
  const made = new Graph(graph.name, { inputs, initializers, nodes, outputs: graph.outputs.map(copy) });
  made.extras = graph.extras;
  return made;
}
