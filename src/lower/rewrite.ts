/** Rewriting programs node by node: the one way lowerings and simplifications are applied. */
import { GraphWriter, Ops } from "../build/index.ts";
import type { Graph, Node, Program, Value } from "../program/index.ts";

/**
 * Returns what stands for the node's outputs from now on, written with `ops`; undefined leaves the node as it is. The node's
 * inputs are values of the new graph already, and what is known about them can be asked of `ops`.
 */
export type Rewrite = (node: Node, ops: Ops) => readonly (Value | undefined)[] | undefined;

/**
 * Applies a rewrite to every node in execution order, those of sub-graphs before the node that holds them. Changes the program
 * in place; returns how often.
 */
export function rewriteProgram(program: Program, rewrite: Rewrite): number {
  return rewriteGraph(program.graph, new GraphWriter(program.graph, program.opset), rewrite, new Map());
}

function rewriteGraph(graph: Graph, writer: GraphWriter, rewrite: Rewrite, replaced: Map<Value, Value>): number {
  const nodes = graph.nodes;
  graph.nodes = [];
  const opsFor = opsByScope(writer);
  let changes = 0;
  for (const node of nodes) {
    replaceInputs(node, replaced);
    for (const inner of node.subgraphs)
      changes += rewriteGraph(inner, new GraphWriter(inner, writer.opset, writer), rewrite, replaced);
    const results = rewrite(node, opsFor(node));
    if (results === undefined) {
      writer.append(node);
      continue;
    }
    changes++;
    node.outputs.forEach((output, index) => {
      if (output && results[index]) replaced.set(output, results[index]);
    });
  }
  const taken = new Set<Value>(graph.outputs.filter((output) => !replaced.has(output)));
  graph.outputs = graph.outputs.map((output) => keepName(output, replaced, writer, taken));
  return changes;
}

function replaceInputs(node: Node, replaced: ReadonlyMap<Value, Value>): void {
  node.inputs.forEach((input, index) => {
    if (input) node.inputs[index] = replaced.get(input) ?? input;
  });
}

/** Outputs keep their names: what stands for one takes its name, through an Identity if it has a name that others know. */
function keepName(output: Value, replaced: ReadonlyMap<Value, Value>, writer: GraphWriter, taken: Set<Value>): Value {
  const value = replaced.get(output) ?? output;
  const named =
    value === output || (isOwn(value, writer) && !taken.has(value)) ? value : new Ops(writer).identity(value);
  named.name = output.name;
  taken.add(named);
  return named;
}

/** Returns what gives each node a writer for its layer. Writers are made once per layer: making one costs more than most rewrites. */
export function opsByScope(writer: GraphWriter): (node: Node) => Ops {
  const made = new Map<string, Ops>();
  return (node) => {
    const scope = scopeOf(node);
    const ops = made.get(scope) ?? new Ops(writer, scope);
    made.set(scope, ops);
    return ops;
  };
}

/** The layer a node was written for: its name without the operator. */
function scopeOf(node: Node): string {
  const slash = node.name.lastIndexOf("/");
  return slash < 0 ? "" : node.name.slice(0, slash);
}

/** Whether a node of the graph that is written computes the value: only such values may take an output's name. */
function isOwn({ producer }: Value, writer: GraphWriter): boolean {
  return producer !== undefined && writer.graph.nodes.includes(producer);
}
