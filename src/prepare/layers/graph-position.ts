/** Which layers come before and after a value: what makes a layer the first, the last, or a classifier. */
import type { Graph, Node, Value } from "../../program/index.ts";
import type { Uses } from "./activation.ts";

/** The values of a graph by what lies before and after them. */
export interface GraphPositions {
  /** Values that depend on a graph input. */
  readonly fromInput: ReadonlySet<Value>;
  /** Values that depend on a layer's output. */
  readonly afterLayer: ReadonlySet<Value>;
  /** Values that a layer depends on. */
  readonly beforeLayer: ReadonlySet<Value>;
}

/** Sorts the values of a graph by the layers they depend on and that depend on them. */
export function graphPositions(graph: Graph, layers: ReadonlySet<Node>): GraphPositions {
  const fromInput = new Set<Value>(graph.inputs);
  const afterLayer = new Set<Value>();
  for (const node of graph.nodes) {
    const inputs = allInputs(node);
    if (inputs.some((input) => fromInput.has(input))) addAll(fromInput, node.outputs);
    if (layers.has(node) || inputs.some((input) => afterLayer.has(input))) addAll(afterLayer, node.outputs);
  }
  const beforeLayer = new Set<Value>();
  for (const node of graph.nodes.toReversed()) {
    if (layers.has(node) || node.outputs.some((output) => output && beforeLayer.has(output)))
      addAll(beforeLayer, allInputs(node));
  }
  return { fromInput, afterLayer, beforeLayer };
}

/** Every value a node reads, those its sub-graphs read from outside (or inside) included. */
function allInputs(node: Node): Value[] {
  const inputs = node.inputs.filter((input): input is Value => input !== undefined);
  const inner = node.subgraphs.flatMap((graph) => [...graph.nodes.flatMap(allInputs), ...graph.outputs]);
  return [...inputs, ...inner];
}

function addAll(set: Set<Value>, values: readonly (Value | undefined)[]): void {
  for (const value of values) if (value) set.add(value);
}

/** Operators that reduce an image to one number per channel. */
const GLOBAL_POOLING: ReadonlySet<string> = new Set(["GlobalAveragePool", "GlobalMaxPool", "ReduceMean", "ReduceMax"]);
/** Operators that pass values on in another arrangement, or normalize scores. */
const PASSING: ReadonlySet<string> = new Set([
  "Softmax", "LogSoftmax", "Sigmoid", "Relu", "Clip", "Cast", "Reshape", "Squeeze", "Transpose", "Identity",
]); // biome-ignore format: a table

/** Returns whether a convolution's result becomes one score per class: pooled over the image, or flattened, on its way out. */
export function becomesScores(result: Value, uses: Uses): boolean {
  if (result.shape?.length === 2) return true;
  return (uses.get(result) ?? []).some(({ node }) => {
    if (!node) return false;
    if (node.operator === "Flatten" || GLOBAL_POOLING.has(node.operator)) return true;
    return PASSING.has(node.operator) && node.outputs[0] !== undefined && becomesScores(node.outputs[0], uses);
  });
}

/** Returns whether a value is an operand of an Add (or Sum) whose other operands are activations too. */
export function feedsResidualAdd(value: Value, uses: Uses): boolean {
  return (uses.get(value) ?? []).some(
    ({ node }) =>
      node !== undefined &&
      node.domain === "" &&
      (node.operator === "Add" || node.operator === "Sum") &&
      node.inputs.length > 1 &&
      node.inputs.every((input) => input && !input.constant),
  );
}
