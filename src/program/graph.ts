/** Graphs: nodes in execution order with their inputs, outputs and constants. */
import type { Extras } from "./extras.ts";
import type { Node } from "./node.ts";
import type { Value } from "./value.ts";

/** A place where a value is used: as `node.inputs[index]`, or as a graph's output when `node` is undefined. */
export interface Use {
  readonly node: Node | undefined;
  readonly index: number;
  readonly graph: Graph;
}

/**
 * A graph: `outputs` computed from `inputs` by `nodes`, which are in execution order (every value is produced before it is
 * used). Constants in use are found from the nodes; `initializers` keeps their order and those nobody uses.
 */
export class Graph {
  name: string;
  inputs: Value[];
  outputs: Value[];
  nodes: Node[];
  initializers: Value[];
  extras: Extras | undefined;

  constructor(name = "graph", parts: Partial<Pick<Graph, "inputs" | "outputs" | "nodes" | "initializers">> = {}) {
    this.name = name;
    this.inputs = parts.inputs ?? [];
    this.outputs = parts.outputs ?? [];
    this.nodes = parts.nodes ?? [];
    this.initializers = parts.initializers ?? [];
  }

  /** Returns every use of every value in this graph and its sub-graphs. Made anew at each call: take it once per pass. */
  uses(): Map<Value, Use[]> {
    const uses = new Map<Value, Use[]>();
    const add = (value: Value, use: Use): void => {
      const list = uses.get(value);
      if (list) list.push(use);
      else uses.set(value, [use]);
    };
    const visit = (graph: Graph): void => {
      for (const node of graph.nodes) {
        node.inputs.forEach((value, index) => {
          if (value) add(value, { node, index, graph });
        });
        for (const subgraph of node.subgraphs) visit(subgraph);
      }
      graph.outputs.forEach((value, index) => {
        add(value, { node: undefined, index, graph });
      });
    };
    visit(this);
    return uses;
  }

  /** Makes every use of `from` a use of `to`, in sub-graphs too; graph outputs included (their name then moves to `to`'s). */
  replaceUses(from: Value, to: Value): void {
    for (const node of this.nodes) {
      for (let i = 0; i < node.inputs.length; i++) if (node.inputs[i] === from) node.inputs[i] = to;
      for (const subgraph of node.subgraphs) subgraph.replaceUses(from, to);
    }
    for (let i = 0; i < this.outputs.length; i++) if (this.outputs[i] === from) this.outputs[i] = to;
  }
}
