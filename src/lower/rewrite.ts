/** Rewriting programs node by node: the one way lowerings and simplifications are applied. */
import { GraphWriter, Ops } from "../build/index.ts";
import type { Node, Program, Value } from "../program/index.ts";

/**
 * Returns what stands for the node's outputs from now on, written with `ops`; undefined leaves the node as it is. The node's
 * inputs are values of the new graph already, and what is known about them can be asked of `ops`.
 */
export type Rewrite = (node: Node, ops: Ops) => readonly Value[] | undefined;

/** Applies a rewrite to every node of the main graph in execution order. Changes the program in place; returns how often. */
export function rewriteProgram(program: Program, rewrite: Rewrite): number {
  const { graph } = program;
  const writer = new GraphWriter(graph, program.opset);
  const nodes = graph.nodes;
  graph.nodes = [];
  const replaced = new Map<Value, Value>();
  let changes = 0;
  for (const node of nodes) {
    replaceInputs(node, replaced);
    const results = rewrite(node, new Ops(writer, scopeOf(node)));
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

/** Makes uses of replaced values uses of what stands for them, inside sub-graphs too. */
function replaceInputs(node: Node, replaced: ReadonlyMap<Value, Value>): void {
  node.inputs.forEach((input, index) => {
    if (input) node.inputs[index] = replaced.get(input) ?? input;
  });
  for (const graph of node.subgraphs) {
    for (const inner of graph.nodes) replaceInputs(inner, replaced);
    graph.outputs = graph.outputs.map((output) => replaced.get(output) ?? output);
  }
}

/** Outputs keep their names: what stands for one takes its name, through an Identity if it has a name that others know. */
function keepName(output: Value, replaced: ReadonlyMap<Value, Value>, writer: GraphWriter, taken: Set<Value>): Value {
  const value = replaced.get(output) ?? output;
  const named = value === output || (value.producer && !taken.has(value)) ? value : new Ops(writer).identity(value);
  named.name = output.name;
  taken.add(named);
  return named;
}

/** The layer a node was written for: its name without the operator. */
function scopeOf(node: Node): string {
  const slash = node.name.lastIndexOf("/");
  return slash < 0 ? "" : node.name.slice(0, slash);
}
