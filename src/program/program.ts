/** Programs: a whole model - one graph, its operator sets, functions and metadata. */
import { UnsupportedError } from "../errors.ts";
import type { Extras } from "./extras.ts";
import { Graph } from "./graph.ts";
import type { Node } from "./node.ts";

/** A function defined inside the model: an operator whose meaning is a list of nodes. Names inside are its own. */
export interface FunctionDefinition {
  readonly name: string;
  readonly domain: string;
  readonly overload: string;
  /** The file's own record (a FunctionProto); written back unchanged. Opaque outside onnx/. */
  readonly source: unknown;
}

/**
 * A model: what is read from an ONNX file, built in code, transformed, and written to an ONNX file.
 *
 * @example
 * const program = readModel(bytes);
 * for (const node of program.graph.nodes) console.log(node.label);
 */
export class Program {
  graph: Graph;
  /** Operator set versions by domain; "" is ONNX's own. */
  readonly opsets: Map<string, number>;
  functions: FunctionDefinition[] = [];
  irVersion: number;
  producerName = "modicum";
  producerVersion = "";
  domain = "";
  modelVersion = 0n;
  extras: Extras | undefined;

  constructor(
    graph: Graph = new Graph(),
    opsets: Iterable<readonly [string, number]> = [["", DEFAULT_OPSET]],
    irVersion: number = DEFAULT_IR_VERSION,
  ) {
    this.graph = graph;
    this.opsets = new Map(opsets);
    this.irVersion = irVersion;
  }

  /** Version of ONNX's own operator set. @throws UnsupportedError if the model imports none. */
  get opset(): number {
    const version = this.opsets.get("");
    if (version === undefined)
      throw new UnsupportedError("program: the model must import ONNX's own operator set, got none.");
    return version;
  }

  /** Every node, those of sub-graphs after the node that holds them. */
  *allNodes(): Generator<Node> {
    yield* nodesOf(this.graph);
  }
}

function* nodesOf(graph: Graph): Generator<Node> {
  for (const node of graph.nodes) {
    yield node;
    for (const subgraph of node.subgraphs) yield* nodesOf(subgraph);
  }
}

/** The operator set Modicum writes: the first with 4-bit types and blocked quantization, readable by ONNX Runtime >= 1.20. */
export const DEFAULT_OPSET = 21;

/** The IR version that belongs to it. */
export const DEFAULT_IR_VERSION = 10;
