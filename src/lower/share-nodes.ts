/** Common-subexpression elimination: what is computed twice is computed once. */
import { type Attribute, type Graph, type Node, type Program, removeDeadNodes, type Value } from "../program/index.ts";

/** Operators that give something else each time. */
const RANDOM = new Set([
  "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli", "Dropout",
]); // biome-ignore format: a table

/** Makes equal nodes of one graph one node, in sub-graphs too. Returns how many went. */
export function shareNodes(program: Program): number {
  const shared = shareIn(program.graph);
  removeDeadNodes(program.graph);
  return shared;
}

function shareIn(graph: Graph): number {
  const numbers = new Map<Value, number>();
  const numberOf = (value: Value | undefined): number => {
    if (!value) return -1;
    const number = numbers.get(value) ?? numbers.size;
    numbers.set(value, number);
    return number;
  };
  const known = new Map<string, Node>();
  const outputs = new Set(graph.outputs);
  const replaced = new Map<Value, Value>();
  let shared = 0;
  for (const node of graph.nodes) {
    replaceIn(node, replaced);
    for (const inner of node.subgraphs) shared += shareIn(inner);
    const mayShare = node.subgraphs.length === 0 && !RANDOM.has(node.operator) && node.gradient === undefined;
    if (!mayShare || node.outputs.some((output) => output && outputs.has(output))) continue;
    const key = keyOf(node, numberOf);
    const same = known.get(key);
    if (!same) {
      known.set(key, node);
      continue;
    }
    shared++;
    node.outputs.forEach((output, index) => {
      if (output && same.outputs[index]) replaced.set(output, same.outputs[index]);
    });
  }
  return shared;
}

function replaceIn(node: Node, replaced: ReadonlyMap<Value, Value>): void {
  node.inputs.forEach((input, index) => {
    if (input) node.inputs[index] = replaced.get(input) ?? input;
  });
  for (const inner of node.subgraphs) {
    for (const innerNode of inner.nodes) replaceIn(innerNode, replaced);
    inner.outputs = inner.outputs.map((output) => replaced.get(output) ?? output);
  }
}

/** Two nodes with the same key compute the same. */
function keyOf(node: Node, numberOf: (value: Value | undefined) => number): string {
  const attributes = [...node.attributes]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${textOf(value)}`);
  const present = node.outputs.map((output) => (output ? 1 : 0)).join("");
  return `${node.domain}:${node.operator}(${node.inputs.map(numberOf).join()})${present}{${attributes.join()}}`;
}

function textOf(attribute: Attribute): string {
  if (attribute.kind === "tensor") {
    const { dtype, shape, data } = attribute.value.load();
    return `${dtype}[${shape.join()}]${Array.from(data as ArrayLike<unknown>, String).join(" ")}`;
  }
  if (attribute.kind === "string") return `"${attribute.value.join(" ")}"`;
  if (Array.isArray(attribute.value)) return `${attribute.kind}[${attribute.value.map(String).join(" ")}]`;
  return `${attribute.kind} ${String(attribute.value)}`;
}
