/** Multiply-accumulates of a program: what running it once costs in products. */
import { cloneProgram, type Graph, type Node, type Program } from "../program/index.ts";
import { inferShapes } from "./infer-shapes.ts";
import { findOperator } from "./operators.ts";

/** Multiply-accumulates of one sample. */
export interface MacCounts {
  /** By node, those of sub-graphs included; null when a shape or the operator is not known. */
  readonly byNode: ReadonlyMap<Node, number | null>;
  /** Sum over the nodes that are known: all of them when `complete`. */
  readonly total: number;
  readonly complete: boolean;
}

/** What to count for. */
export interface CountMacsOptions {
  /** Shapes of graph inputs, by name. Default: the declared ones, with an unknown first axis (the batch) of length 1. */
  readonly inputShapes?: Readonly<Record<string, readonly number[]>>;
}

/**
 * Counts the multiply-accumulates of convolutions, matrix products, recurrences and attention. Elementwise work, pooling and
 * normalization count as none. An If counts its dearer branch, a Loop or Scan its body times its iterations.
 *
 * The program is not changed.
 *
 * @throws ShapeError, DTypeError, OptionError as `inferShapes` does.
 */
export function countMacs(program: Program, options: CountMacsOptions = {}): MacCounts {
  const copy = cloneProgram(program).program;
  const { inputShapes } = options;
  inferShapes(copy, inputShapes ? { inputShapes } : { symbols: bindBatch(copy) });
  const counts = new Map<Node, number | null>();
  const graphMacs = (graph: Graph): number | undefined => {
    const each = graph.nodes.map((node) => {
      const macs = nodeMacs(node, graphMacs);
      counts.set(node, macs ?? null);
      return macs;
    });
    return each.reduce<number | undefined>(
      (sum, macs) => (sum === undefined || macs === undefined ? undefined : sum + macs),
      0,
    );
  };
  const complete = graphMacs(copy.graph) !== undefined;
  const total = copy.graph.nodes.reduce((sum, node) => sum + (counts.get(node) ?? 0), 0);
  return { byNode: byOriginalNode(program, copy, counts), total, complete };
}

function nodeMacs(node: Node, graphMacs: (graph: Graph) => number | undefined): number | undefined {
  const operator = findOperator(node.operator, node.domain);
  if (!operator) return undefined;
  return operator.macs ? operator.macs(node, graphMacs) : 0;
}

function byOriginalNode(
  program: Program,
  copy: Program,
  counts: ReadonlyMap<Node, number | null>,
): ReadonlyMap<Node, number | null> {
  const copies = [...copy.allNodes()];
  return new Map([...program.allNodes()].map((node, index) => [node, counts.get(copies[index]!) ?? null]));
}

/** Gives the batch, the first axis of each input whose length is not fixed, the length 1. Returns the symbols bound so. */
function bindBatch(program: Program): Record<string, number> {
  const symbols: Record<string, number> = {};
  for (const input of program.graph.inputs) {
    const batch = input.shape?.[0];
    if (batch === undefined || typeof batch === "number") continue;
    if (batch !== null) symbols[batch] = 1;
    input.shape = [1, ...input.shape!.slice(1)];
  }
  return symbols;
}
