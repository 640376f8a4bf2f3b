/** Putting something after values of a graph, so that everything that read them reads that instead. */
import type { Emitter, Node, Program, Value } from "../../program/index.ts";
import type { LoweredValue } from "./plan.ts";

/** What to put where. */
export interface Insertion<G> {
  /** Emits nodes that read the value, and returns what others shall read. */
  insert(value: Value, grid: G): Value;
  /** Sees every node before it is emitted. */
  before(node: Node): void;
}

/**
 * Re-emits a program's nodes, inserting after every value that has a grid. The graph's outputs keep their names. Returns
 * where the values are now.
 */
export function insertAfterValues<G>(
  program: Program,
  grids: ReadonlyMap<Value, G>,
  emitter: Emitter,
  { insert, before }: Insertion<G>,
): Map<Value, LoweredValue> {
  const { graph } = program;
  const current = new Map<Value, Value>();
  const quantize = (value: Value | undefined): void => {
    const grid = value && grids.get(value);
    if (value && grid !== undefined) current.set(value, insert(value, grid));
  };
  for (const input of graph.inputs) quantize(input);
  for (const node of graph.nodes) {
    before(node);
    readCurrent(node, current);
    emitter.append(node);
    for (const output of node.outputs) quantize(output);
  }
  graph.nodes = emitter.nodes;
  graph.outputs = graph.outputs.map((output) => {
    const replacement = current.get(output);
    if (!replacement || graph.inputs.includes(output)) return output;
    replacement.name = output.name;
    output.name = `${output.name}_float`;
    return replacement;
  });
  return new Map([...current].map(([value, replacement]) => [value, { value: replacement, grid: undefined }]));
}

function readCurrent(node: Node, current: ReadonlyMap<Value, Value>): void {
  node.inputs.forEach((input, index) => {
    if (input) node.inputs[index] = current.get(input) ?? input;
  });
  for (const graph of node.subgraphs) {
    for (const inner of graph.nodes) readCurrent(inner, current);
    graph.outputs = graph.outputs.map((output) => current.get(output) ?? output);
  }
}
