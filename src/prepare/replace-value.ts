/** Taking a node out of a graph without changing what the graph's outputs are called. */
import type { Graph, Node, Value } from "../program/index.ts";

/**
 * Makes every use of `from` a use of `to`, and gives `to` the name of `from` where that is a graph output, so that callers
 * still find it. Returns false, and changes nothing, when that is impossible: a graph output must then remain what it is
 * because `to` is a graph input, a constant or an output of its own.
 */
export function replaceValue(graph: Graph, from: Value, to: Value): boolean {
  if (graph.outputs.includes(from)) {
    if (!to.producer || to.constant || !isProducedIn(graph, to) || graph.outputs.includes(to)) return false;
    if (graph.outputs.filter((output) => output === from).length > 1) return false;
    to.name = from.name;
    to.dtype = from.dtype ?? to.dtype;
    to.shape = from.shape ?? to.shape;
  }
  graph.replaceUses(from, to);
  return true;
}

function isProducedIn(graph: Graph, value: Value): boolean {
  return value.producer !== undefined && graph.nodes.includes(value.producer);
}

/** Makes `producer` compute what the `absorbed` node after it computed: its first output takes the place of its own. */
export function takeOverOutput(producer: Node, absorbed: Node): void {
  const output = absorbed.output();
  producer.outputs[0] = output;
  output.producer = producer;
}
