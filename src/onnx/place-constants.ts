/** Finding the constants a program uses, and the graph each belongs to. */
import type { Graph, Value } from "../program/index.ts";

/**
 * Returns the constants of each graph in the order in which they are written: those its `initializers` list, then those in
 * use that no list has. A constant is held by the graph that lists it where every use can see it, otherwise by the main graph.
 */
export function placeConstants(main: Graph): Map<Graph, Value[]> {
  const homes = new Map<Value, Graph>();
  const placed = new Map<Graph, Value[]>();
  const list = (graph: Graph): void => {
    placed.set(graph, []);
    for (const value of graph.initializers) if (value.constant && !homes.has(value)) homes.set(value, graph);
    for (const node of graph.nodes) for (const inner of node.subgraphs) list(inner);
  };
  list(main);
  const use = (value: Value | undefined, scopes: readonly Graph[]): void => {
    if (!value?.constant) return;
    const home = homes.get(value);
    if (!home || !scopes.includes(home)) homes.set(value, main);
  };
  const visit = (graph: Graph, outer: readonly Graph[]): void => {
    const scopes = [...outer, graph];
    for (const node of graph.nodes) {
      for (const input of node.inputs) use(input, scopes);
      for (const inner of node.subgraphs) visit(inner, scopes);
    }
    for (const output of graph.outputs) use(output, scopes);
    for (const input of graph.inputs) if (input.constant) homes.set(input, graph);
  };
  visit(main, []);
  // A map keeps the order in which its keys came: listed ones first, then by first use.
  for (const [value, graph] of homes) placed.get(graph)!.push(value);
  return placed;
}
