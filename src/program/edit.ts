/** Editing a graph in place: the few moves every pass is made of. */
import type { Tensor } from "../tensor/index.ts";
import { constantOf } from "./constant.ts";
import type { Graph } from "./graph.ts";
import type { Node } from "./node.ts";
import { Value } from "./value.ts";

/** Makes a constant value from a tensor. It need not be added to a graph: the writer collects the constants in use. */
export function constantValue(name: string, tensor: Tensor): Value {
  const value = new Value(name, tensor.dtype, tensor.shape);
  value.constant = constantOf(tensor);
  return value;
}

/** Removes nodes whose outputs nobody uses, until none is left, and constants nobody uses. Returns how many nodes went. */
export function removeDeadNodes(graph: Graph): number {
  const before = graph.nodes.length;
  const needed = new Set<Value>(graph.outputs);
  const kept: Node[] = [];
  const need = (node: Node): void => {
    for (const input of node.inputs) if (input) needed.add(input);
    for (const subgraph of node.subgraphs) {
      for (const output of subgraph.outputs) needed.add(output);
      for (const inner of subgraph.nodes) need(inner);
    }
  };
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i]!;
    if (!node.outputs.some((output) => output && needed.has(output))) continue;
    kept.push(node);
    need(node);
  }
  graph.nodes = kept.reverse();
  graph.initializers = graph.initializers.filter((value) => needed.has(value));
  return before - kept.length;
}

/** Sorts nodes into execution order, keeping the present order where it is free to. Throws an internal error on a cycle. */
export function sortNodes(graph: Graph): void {
  const state = new Map<Node, "open" | "done">();
  const own = new Set(graph.nodes);
  const sorted: Node[] = [];
  for (const root of graph.nodes) {
    const stack: Node[] = [root];
    while (stack.length > 0) {
      const node = stack.at(-1)!;
      if (state.get(node) === "done") {
        stack.pop();
        continue;
      }
      if (state.get(node) === "open") {
        state.set(node, "done");
        sorted.push(node);
        stack.pop();
        continue;
      }
      state.set(node, "open");
      for (const producer of producersOf(node)) {
        if (!own.has(producer) || state.get(producer) === "done") continue;
        if (state.get(producer) === "open")
          throw new Error(`internal: the graph has a cycle through ${producer.label}`);
        stack.push(producer);
      }
    }
  }
  graph.nodes = sorted;
}

function producersOf(node: Node): Node[] {
  const producers: Node[] = [];
  for (const input of node.inputs) if (input?.producer) producers.push(input.producer);
  for (const subgraph of node.subgraphs) {
    for (const inner of subgraph.nodes) producers.push(...producersOf(inner));
    for (const output of subgraph.outputs) if (output.producer) producers.push(output.producer);
  }
  return producers;
}
