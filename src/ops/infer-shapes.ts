/** Shape inference: walks a program and fills in the element type and shape of every value. */
import type { Graph, Node, Program, Shape, Value } from "../program/index.ts";
import { bindInputs, isAnonymous } from "./bind-inputs.ts";
import { substitute } from "./dimension.ts";
import { constantFact, followedCount } from "./elements.ts";
import { mergeFacts } from "./merge-facts.ts";
import type { Fact, InferenceContext } from "./operator.ts";
import { findOperator } from "./operators.ts";
import { shapeMismatch } from "./shape-check.ts";

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
    const opset = program.opsets.get(node.domain) ?? 1;
    const operator = findOperator(node.operator, node.domain);
    const context: InferenceContext = {
      opset,
      input: (index) => (node.inputs[index] ? factOf(node.inputs[index]) : {}),
      graph: (graph, inputs) => inferGraph(graph, inputs, node),
    };
    const known = operator && operator.since <= opset;
    if (!known) unknownNodes.add(node);
    const inferred = known ? operator.infer(node, context) : [];
    node.outputs.forEach((value, index) => {
      if (value)
        facts.set(value, mergeFacts(node, value.name, declaredFact(value), sensible(node, context, inferred[index])));
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

/**
 * Returns a rule's fact about an output, checked where wrong inputs would show.
 *
 * @throws ShapeError for a length that is no count, as padding or reshaping with wrong numbers gives, or that an input of
 *   too low a rank does not have.
 */
function sensible(node: Node, context: InferenceContext, fact: Fact | undefined): Fact {
  const { shape, elements } = fact ?? {};
  if (shape?.some((length) => length === undefined)) {
    const inputs = node.inputs.map((_, index) => context.input(index).shape);
    throw shapeMismatch(node, "inputs must have the ranks the operator needs", ...inputs);
  }
  if (shape?.some((length) => typeof length === "number" && !(Number.isSafeInteger(length) && length >= 0)))
    throw shapeMismatch(node, "output lengths must be whole numbers >= 0", shape);
  return elements && elements.length !== followedCount(shape) ? { ...fact, elements: undefined } : { ...fact };
}
