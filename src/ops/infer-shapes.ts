/** Shape inference: walks a program and fills in the element type and shape of every value. */
import type { Graph, Node, Program, Shape, Value } from "../program/index.ts";
import { bindInputs, isAnonymous } from "./bind-inputs.ts";
import { substitute } from "./dimension.ts";
import { constantFact } from "./elements.ts";
import { inferNodeFacts } from "./infer-node.ts";
import { mergeFacts } from "./merge-facts.ts";
import type { Fact } from "./operator.ts";

/** What shape inference could not do. */
export interface ShapeInference {
  /** Nodes of operators without a rule; their outputs stay as the file declares them. */
  readonly unknownNodes: readonly Node[];
}

/** How to infer. */
export interface InferShapesOptions {
  /**
   * Concrete shapes of graph inputs, by name. A symbol in the declared shape gets this length everywhere in the program.
   * It stays so: to infer for several shapes, clone the program first.
   */
  readonly inputShapes?: Readonly<Record<string, readonly number[]>>;
  /** Lengths of symbols in declared shapes, such as `{ batch: 1 }`, for when not all of an input's shape is fixed. */
  readonly symbols?: Readonly<Record<string, number>>;
}

/**
 * Fills in `dtype` and `shape` of every value of a program, sub-graphs included, from its inputs, constants and operators.
 *
 * Contents of small tensors are followed where they decide shapes (Shape, Gather, Concat, Reshape, ...), with symbolic
 * entries. What a rule does not know stays as the file declares it. When an error is thrown the program is unchanged.
 *
 * @throws ShapeError, DTypeError when the inputs of a node contradict each other, or a declared shape or type contradicts
 *   the inferred one; the message names the node.
 * @example
 * inferShapes(program, { inputShapes: { input: [1, 3, 224, 224] } });
 */
export function inferShapes(program: Program, options: InferShapesOptions = {}): ShapeInference {
  const bound = bindInputs(program, options.inputShapes ?? {}, options.symbols);
  const facts = new Map<Value, Fact>();
  const unknownNodes = new Set<Node>();

  const declaredFact = (value: Value): Fact => ({
    dtype: value.dtype,
    shape: bound.shapes.get(value) ?? value.shape?.map((length) => boundLength(length, bound.symbols)),
  });

  const factOf = (value: Value): Fact => {
    const known = facts.get(value) ?? (value.constant ? constantFact(value.constant) : declaredFact(value));
    facts.set(value, known);
    return known;
  };

  const inferGraph = (graph: Graph, inputs: readonly Fact[], holder?: Node): readonly Fact[] => {
    graph.inputs.forEach((value, index) => {
      const given = inputs[index];
      if (holder && given) facts.set(value, mergeFacts(holder, value.name, declaredFact(value), given));
      else factOf(value);
    });
    for (const node of graph.nodes) inferNode(node);
    return graph.outputs.map(factOf);
  };

  const inferNode = (node: Node): void => {
    const surroundings = { opsets: program.opsets, factOf, inferGraph };
    const { outputs, known } = inferNodeFacts(node, surroundings, declaredFact);
    if (!known) unknownNodes.add(node);
    node.outputs.forEach((value, index) => {
      if (value) facts.set(value, outputs[index]!);
    });
  };

  inferGraph(program.graph, []);
  for (const [value, fact] of facts) {
    value.dtype = fact.dtype;
    value.shape = fact.shape;
  }
  return { unknownNodes: [...unknownNodes] };
}

function boundLength(length: Shape[number], symbols: ReadonlyMap<string, number>): Shape[number] {
  return typeof length === "string" && isAnonymous(length) ? null : substitute(length, symbols);
}
