/** Parts of a program that depend on constants only: computed once, now. */
import { writeModel } from "../../onnx/index.ts";
import { constantOf, Graph, type Node, Program, staticShape, type Value } from "../../program/index.ts";
import { byteLength, type DType, elementCount, int64, type Tensor } from "../../tensor/index.ts";
import { fixedConstant } from "../fixed-constant.ts";
import type { Pass } from "../pass.ts";

/** A folded node's output may take this many bytes whatever it is made from (shapes, masks, small tables), ... */
const SMALL_BYTES = 64 * 1024;
/** ... or this many times the bytes it is made from: enough for float16 weights that are cast to float32. */
const MAX_GROWTH = 2;

/** Element types that can come back from the runtime in JavaScript. */
const RETURNABLE: ReadonlySet<DType | undefined> = new Set<DType>([
  "float32", "float64", "float16", "bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64",
]); // biome-ignore format: a table

/**
 * Operators that are never folded: random ones, and quantized weights, which would lose their small form.
 */
const NEVER_FOLDED: ReadonlySet<string> = new Set([
  "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli", "Dropout",
  "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "Constant",
]); // biome-ignore format: a table

/**
 * Computes everything that depends on constants only, in one run of ONNX Runtime without its optimizer, and the Shape of
 * values whose shape is known. A node is left when its result would be much larger than what it is made from
 * (ConstantOfShape, Expand, Tile), its size is not known, it is random or dequantizes weights, or it has sub-graphs.
 */
export const foldConstants: Pass = {
  name: "fold-constants",
  summary: "Computes what depends on constants only.",
  async run(program, { runtime }) {
    const { graph } = program;
    const shapes = foldShapes(graph);
    const folded = foldableNodes(program);
    const results = resultsOf(folded, graph);
    if (results.length > 0) {
      const constants = new Graph("constants", { nodes: [...folded], outputs: results });
      const session = await runtime.createSession(
        writeModel(new Program(constants, program.opsets, program.irVersion)),
        { optimization: "disabled" },
      );
      try {
        const tensors = await session.run({});
        session.outputNames.forEach((name, index) => {
          makeConstant(results[index]!, tensors[name]!);
        });
      } finally {
        await session.release();
      }
    }
    graph.nodes = graph.nodes.filter((node) => !folded.has(node));
    return shapes + folded.size;
  },
};

function makeConstant(value: Value, tensor: Tensor): void {
  value.constant = constantOf(tensor);
  value.producer = undefined;
  value.dtype = tensor.dtype;
  value.shape = tensor.shape;
}

/** Nodes whose every input is constant, or computed by such a node, and whose results are worth keeping. */
function foldableNodes(program: Program): Set<Node> {
  const { graph } = program;
  const local = new Set(program.functions.map((definition) => `${definition.domain}:${definition.name}`));
  const outputs = new Set(graph.outputs);
  const folded = new Set<Node>();
  const isKnown = (value: Value | undefined): boolean =>
    !value ||
    (value.producer !== undefined && folded.has(value.producer)) ||
    RETURNABLE.has(fixedConstant(value, graph)?.dtype);
  for (const node of graph.nodes) {
    const allowed = node.domain === "" && !NEVER_FOLDED.has(node.operator) && !local.has(`:${node.operator}`);
    if (!allowed || node.subgraphs.length > 0 || !node.inputs.some((input) => input)) continue;
    if (!node.inputs.every(isKnown) || node.outputs.some((output) => output && outputs.has(output))) continue;
    if (isSmallEnough(node)) folded.add(node);
  }
  return folded;
}

/** The results of folded nodes that others need. */
function resultsOf(folded: ReadonlySet<Node>, graph: Graph): Value[] {
  const uses = graph.uses();
  return [...folded].flatMap((node) =>
    node.outputs.filter(
      (output): output is Value =>
        output !== undefined && (uses.get(output) ?? []).some((use) => !use.node || !folded.has(use.node)),
    ),
  );
}

function isSmallEnough(node: Node): boolean {
  const sizes = node.outputs.map((output) => (output ? sizeBytes(output) : 0));
  const from = node.inputs.reduce((sum, input) => sum + ((input && sizeBytes(input)) ?? 0), 0);
  return sizes.every((size) => size !== undefined && size <= Math.max(SMALL_BYTES, MAX_GROWTH * from));
}

function sizeBytes(value: Value): number | undefined {
  const dtype = value.constant?.dtype ?? value.dtype;
  const shape = value.constant?.shape ?? staticShape(value);
  return dtype && shape && RETURNABLE.has(dtype) ? byteLength(dtype, elementCount(shape)) : undefined;
}

/** Makes constants of the shapes of values whose every axis is known. */
function foldShapes(graph: Graph): number {
  const outputs = new Set(graph.outputs);
  const kept = graph.nodes.filter((node) => {
    const output = node.outputs[0];
    const shape = node.inputs[0] && staticShape(node.inputs[0]);
    if (node.operator !== "Shape" || node.domain !== "" || !output || !shape || outputs.has(output)) return true;
    makeConstant(output, int64(shape.slice(node.int("start", 0), node.int("end", shape.length))));
    return false;
  });
  const changes = graph.nodes.length - kept.length;
  graph.nodes = kept;
  return changes;
}
