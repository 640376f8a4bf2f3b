/** Inference at one node: the step that shape inference takes at every node, and that building takes at each new one. */
import type { Graph, Node, Value } from "../program/index.ts";
import { followedCount } from "./elements.ts";
import { mergeFacts } from "./merge-facts.ts";
import type { Fact, InferenceContext } from "./operator.ts";
import { findOperator } from "./operators.ts";
import { shapeMismatch } from "./shape-check.ts";

/** What is known around the node. */
export interface NodeSurroundings {
  /** Operator set versions of the program, by domain. */
  readonly opsets: ReadonlyMap<string, number>;
  /** Returns what is known about a value. */
  readonly factOf: (value: Value) => Fact;
  /** Infers a sub-graph of this node from what is known about its inputs. */
  readonly inferGraph: (graph: Graph, inputs: readonly Fact[], holder: Node) => readonly Fact[];
}

/** What inference says about a node's outputs. */
export interface NodeFacts {
  /** One fact per output; undefined where the output is absent. */
  readonly outputs: readonly (Fact | undefined)[];
  /** Whether a rule knows the operator; if not, the facts are only what the values declare. */
  readonly known: boolean;
}

/**
 * Returns what follows about a node's outputs from its inputs, attributes and operator.
 *
 * @param declared What is said about an output beforehand.
 * @throws ShapeError, DTypeError when the inputs contradict each other or what is declared.
 */
export function inferNodeFacts(
  node: Node,
  { opsets, factOf, inferGraph }: NodeSurroundings,
  declared: (value: Value) => Fact,
): NodeFacts {
  const opset = opsets.get(node.domain) ?? 1;
  const operator = findOperator(node.operator, node.domain);
  const context: InferenceContext = {
    opset,
    input: (index) => (node.inputs[index] ? factOf(node.inputs[index]) : {}),
    graph: (graph, inputs) => inferGraph(graph, inputs, node),
  };
  const known = operator !== undefined && operator.since <= opset;
  const inferred = known ? operator.infer(node, context) : [];
  const outputs = node.outputs.map(
    (value, index) => value && mergeFacts(node, value.name, declared(value), sensible(node, context, inferred[index])),
  );
  return { outputs, known };
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
