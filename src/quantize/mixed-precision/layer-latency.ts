/** How long single layers take: each as a model of its own, on what reaches it in the whole model. */
import { writeModel } from "../../onnx/index.ts";
import { Graph, Node, Program, Value } from "../../program/index.ts";
import type { Runtime } from "../../runtime/index.ts";
import { float32 } from "../../tensor/index.ts";
import type { Feeds } from "../options.ts";
import { modelLatencyMs } from "./model-latency.ts";

/** Milliseconds for which each layer is measured. */
const LAYER_MS = 20;

/** What measuring layers needs. */
export interface LayerLatencyOptions {
  readonly runtime: Runtime;
  readonly feeds: Feeds;
  readonly signal: AbortSignal | undefined;
}

/**
 * Returns the median time of each piece of a program, in milliseconds, less what a model takes that does nothing.
 *
 * @param program Is changed: values that pieces read become outputs.
 * @param pieces Nodes that follow each other, in execution order.
 */
export async function layerLatenciesMs(
  program: Program,
  pieces: readonly (readonly Node[])[],
  { runtime, feeds, signal }: LayerLatencyOptions,
): Promise<number[]> {
  const inputsOf = pieces.map(outerInputs);
  const { graph } = program;
  const given = new Set(graph.inputs);
  const wanted = [...new Set(inputsOf.flat())].filter((value) => !given.has(value));
  const outputs = new Set([...graph.outputs, ...wanted]);
  program.graph = new Graph(graph.name, { inputs: graph.inputs, outputs: [...outputs], nodes: graph.nodes });
  const session = await runtime.createSession(writeModel(program), { optimization: "basic" });
  const values = await session.run(feeds).finally(() => session.release());
  const known: Feeds = { ...values, ...feeds };
  const latencies: number[] = [];
  for (const [i, piece] of pieces.entries()) {
    signal?.throwIfAborted();
    const inputs = inputsOf[i]!;
    const own = Object.fromEntries(inputs.map(({ name }) => [name, known[name]!]));
    const alone = pieceProgram(program, piece, inputs, own);
    latencies.push(await modelLatencyMs(writeModel(alone), { runtime, feeds: own, forMs: LAYER_MS }));
  }
  const idle = await idleMs(program, runtime);
  return latencies.map((latency) => Math.max(0, latency - idle));
}

/** A model of some nodes and what they read that is constant. */
function pieceProgram(program: Program, piece: readonly Node[], inputs: readonly Value[], feeds: Feeds): Program {
  for (const input of inputs) {
    input.dtype = feeds[input.name]!.dtype;
    input.shape = feeds[input.name]!.shape;
  }
  const nodes = [...new Set(piece.flatMap((node) => [...constantNodes(node), node]))];
  const outputs = piece.at(-1)!.outputs.filter((output) => output !== undefined);
  const alone = new Program(
    new Graph("layer", { inputs: [...inputs], outputs, nodes }),
    program.opsets,
    program.irVersion,
  );
  alone.functions = program.functions;
  return alone;
}

/** Values that nodes read which are neither constant nor made by them. */
function outerInputs(piece: readonly Node[]): Value[] {
  const inside = new Set<Node | undefined>(piece);
  const read = piece.flatMap(({ inputs }) => inputs).filter((value) => value !== undefined);
  return [...new Set(read)].filter((value) => !isFixed(value) && !inside.has(value.producer));
}

/** Whether a value depends on constants only. */
function isFixed(value: Value): boolean {
  if (value.constant) return true;
  return value.producer?.inputs.every((input) => input === undefined || isFixed(input)) ?? false;
}

/** The nodes that make what a node reads from constants, in execution order. */
function constantNodes({ inputs }: Node): Node[] {
  return inputs.flatMap((input) => {
    const { producer } = input ?? {};
    return input && producer && !input.constant && isFixed(input) ? [...constantNodes(producer), producer] : [];
  });
}

/** What calling ONNX Runtime takes by itself. */
async function idleMs({ opsets, irVersion }: Program, runtime: Runtime): Promise<number> {
  const [x, y] = ["x", "y"].map((name) => new Value(name, "float32", [1])) as [Value, Value];
  const graph = new Graph("nothing", { inputs: [x], outputs: [y], nodes: [new Node("Identity", [x], [y])] });
  const feeds = { x: float32([1], [0]) };
  return modelLatencyMs(writeModel(new Program(graph, opsets, irVersion)), { runtime, feeds, forMs: LAYER_MS });
}
