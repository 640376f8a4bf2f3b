/** Bringing a file's nodes into execution order. */
import { ModelFormatError } from "../errors.ts";
import type { Graph, Node } from "../program/index.ts";

/**
 * Brings nodes into execution order, keeping the file's order wherever it is one.
 *
 * @throws ModelFormatError if there is none, naming the nodes of a cycle.
 */
export function orderNodes(graph: Graph, where: string): void {
  const own = new Set(graph.nodes);
  const requirements = new Map(graph.nodes.map((node) => [node, requiredNodes(node, own)]));
  if (isOrdered(graph.nodes, requirements)) return;
  const done = new Set<Node>();
  const path: Node[] = [];
  const pending = new Map<Node, Iterator<Node>>();
  const open = (node: Node): void => {
    path.push(node);
    pending.set(node, requirements.get(node)!.values());
  };
  for (const root of graph.nodes) {
    if (!done.has(root)) open(root);
    while (path.length > 0) {
      const node = path.at(-1)!;
      const next = pending.get(node)!.next();
      if (next.done) {
        done.add(node);
        pending.delete(node);
        path.pop();
      } else if (pending.has(next.value)) {
        throw cycleError(path.slice(path.indexOf(next.value)), where);
      } else if (!done.has(next.value)) {
        open(next.value);
      }
    }
  }
  // A set keeps the order in which its members came: every node after those it needs.
  graph.nodes = [...done];
}

function isOrdered(nodes: readonly Node[], requirements: ReadonlyMap<Node, ReadonlySet<Node>>): boolean {
  const seen = new Set<Node>();
  for (const node of nodes) {
    for (const required of requirements.get(node)!) if (!seen.has(required)) return false;
    seen.add(node);
  }
  return true;
}

/** The nodes of the same graph that must run before a node, on account of its sub-graphs too. */
function requiredNodes(node: Node, own: ReadonlySet<Node>): Set<Node> {
  const required = new Set<Node>();
  const visit = (inner: Node): void => {
    for (const input of inner.inputs) if (input?.producer && own.has(input.producer)) required.add(input.producer);
    for (const subgraph of inner.subgraphs) {
      for (const child of subgraph.nodes) visit(child);
      for (const { producer } of subgraph.outputs) if (producer && own.has(producer)) required.add(producer);
    }
  };
  visit(node);
  return required;
}

function cycleError(cycle: readonly Node[], where: string): ModelFormatError {
  const labels = cycle.slice(0, 6).map((node) => node.label);
  if (cycle.length > labels.length) labels.push(`${cycle.length - labels.length} more`);
  return new ModelFormatError(`${where}: the graph must have no cycle, got one through ${labels.join(", ")}.`);
}
