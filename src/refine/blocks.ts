/** Cutting a program into blocks: parts between values through which everything goes. */
import { findGradientRule } from "../gradients/index.ts";
import type { Layer } from "../prepare/index.ts";
import type { Graph, Node, Program, Value } from "../program/index.ts";

/** A part of a program between two values through which all paths go. */
export interface Block {
  /** The value it starts from; undefined for the first, which reads the program's inputs alone. */
  readonly input: Value | undefined;
  /** What later blocks see of it. */
  readonly output: Value;
  /** Its nodes in execution order, without those that depend on no layer: every block may compute these anew. */
  readonly nodes: readonly Node[];
  /** Its layers in execution order. */
  readonly layers: readonly Layer[];
  /** Why nothing can be learned in it: operators without a gradient. Undefined when there are none. */
  readonly reason: string | undefined;
}

/** Layers that a piece of a chain has at most. */
const MOST_LAYERS = 4;

/**
 * Cuts a program into blocks, in execution order: residual blocks, inverted residuals, Fire modules, halves of transformer
 * layers, pieces of up to four layers of a chain without branches; a single layer where nothing else is found.
 *
 * A value is a cut when every path from a layer before it to the program's first output goes through it. What lies between
 * two cuts next to each other branches, or is a single node. Branches beside each other take in the layer that feeds them, as
 * in a Fire module; those beside a skip connection are a block of their own. Outputs other than the first are not looked at.
 *
 * @param layers The layers to be counted; blocks without any are parts of their neighbours.
 * @see Li et al. 2021, "BRECQ: Pushing the Limit of Post-Training Quantization by Block Reconstruction", arXiv:2102.05426
 */
export function findBlocks(program: Program, layers: readonly Layer[]): Block[] {
  const segments = findSegments(program.graph, layers);
  return groupSegments(segments).map((group) => blockOf(group));
}

/** What lies between two cuts next to each other. */
interface Segment {
  readonly input: Value | undefined;
  readonly output: Value;
  readonly nodes: readonly Node[];
  readonly layers: readonly Layer[];
  /** Whether a path goes through it without any layer. */
  readonly skips: boolean;
}

function findSegments(graph: Graph, layers: readonly Layer[]): Segment[] {
  const nodes = dependentNodes(graph, layers);
  const lastUse = lastUses(nodes);
  const output = graph.outputs[0];
  if (output) lastUse.set(output, nodes.length);
  const made = new Set(nodes.flatMap((node) => node.outputs));
  const segments: Segment[] = [];
  const live = new Set<Value>();
  let start = 0;
  nodes.forEach((node, position) => {
    for (const value of node.outputs) if (value && (lastUse.get(value) ?? -1) > position) live.add(value);
    for (const value of readBy(node)) if (made.has(value) && lastUse.get(value) === position) live.delete(value);
    if (live.size !== 1) return;
    const [cut] = live as Set<Value>;
    if (cut!.producer !== node) return;
    const input = segments.at(-1)?.output;
    segments.push(segmentOf(input, cut!, nodes.slice(start, position + 1), layers));
    start = position + 1;
  });
  return segments;
}

/** The nodes on which the first output depends and that depend on a layer themselves. */
function dependentNodes(graph: Graph, layers: readonly Layer[]): Node[] {
  const starts = new Set(layers.map(({ node }) => node));
  const made = new Set<Value | undefined>();
  const after = graph.nodes.filter((node) => {
    const depends = starts.has(node) || readBy(node).some((value) => made.has(value));
    if (depends) for (const value of node.outputs) if (value) made.add(value);
    return depends;
  });
  const needed = new Set(graph.outputs.slice(0, 1));
  return after
    .reverse()
    .filter((node) => {
      if (!node.outputs.some((value) => value && needed.has(value))) return false;
      for (const value of readBy(node)) needed.add(value);
      return true;
    })
    .reverse();
}

/** The values a node reads, those its sub-graphs take from outside included. */
function readBy(node: Node): Value[] {
  const inside = node.subgraphs.flatMap((graph) => [...graph.nodes.flatMap(readBy), ...graph.outputs]);
  return [...node.inputs.filter((value) => value !== undefined), ...inside];
}

function lastUses(nodes: readonly Node[]): Map<Value, number> {
  const last = new Map<Value, number>();
  nodes.forEach((node, position) => {
    for (const value of readBy(node)) last.set(value, position);
  });
  return last;
}

function segmentOf(input: Value | undefined, output: Value, nodes: readonly Node[], layers: readonly Layer[]): Segment {
  const counted = new Set(layers.map(({ node }) => node));
  // The fewest layers on a path from the input to each value; what does not depend on the input is on no path.
  const fewest = new Map<Value, number>(input ? [[input, 0]] : []);
  const own = new Set(nodes.flatMap((node) => node.outputs));
  for (const node of nodes) {
    const before = readBy(node).flatMap((value) => fewest.get(value) ?? (!input && !own.has(value) ? 0 : []));
    if (before.length === 0) continue;
    const here = Math.min(...before) + (counted.has(node) ? 1 : 0);
    for (const value of node.outputs) if (value) fewest.set(value, here);
  }
  return {
    input,
    output,
    nodes,
    layers: layers.filter(({ node }) => nodes.includes(node)),
    skips: fewest.get(output) === 0,
  };
}

/** Segments that become one block. */
type Group = Segment[];

function groupSegments(segments: readonly Segment[]): Group[] {
  const groups: Group[] = [];
  let chain: Group[] = [];
  const endChain = (): void => {
    groups.push(...evenPieces(chain));
    chain = [];
  };
  for (const unit of unitsOf(segments)) {
    const [first] = unit;
    if (first!.layers.length === 1 && !first!.skips) {
      chain.push(unit);
      continue;
    }
    const feeding = first!.skips ? undefined : chain.pop();
    endChain();
    groups.push([...(feeding ?? []), ...unit]);
  }
  endChain();
  return groups;
}

/** Each segment with layers, first in its group, and those without that follow it. */
function unitsOf(segments: readonly Segment[]): Group[] {
  const units: Group[] = [];
  for (const segment of segments) {
    if (segment.layers.length > 0 || units.length === 0) units.push([segment]);
    else units.at(-1)!.push(segment);
  }
  return units;
}

/** A chain in as few pieces as have at most so many layers each, of equal lengths as far as can be. */
function evenPieces(chain: readonly Group[]): Group[] {
  const count = Math.ceil(chain.length / MOST_LAYERS);
  return Array.from({ length: count }, (_, piece) => {
    const [from, to] = [piece, piece + 1].map((end) => Math.round((end * chain.length) / count));
    return chain.slice(from, to).flat();
  });
}

function blockOf(group: Group): Block {
  const nodes = group.flatMap((segment) => segment.nodes);
  const without = nodes.filter(({ operator, domain }) => !findGradientRule(operator, domain));
  const labels = [...new Set(without.map(({ operator }) => operator))].join(", ");
  return {
    input: group[0]!.input,
    output: group.at(-1)!.output,
    nodes,
    layers: group.flatMap((segment) => segment.layers),
    reason: without.length > 0 ? `no gradient for ${labels}` : undefined,
  };
}
