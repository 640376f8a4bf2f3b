/** Recognizing the activation function that follows a layer. */
import type { Graph, Node, Program, Use, Value } from "../../program/index.ts";
import { scalarConstant } from "../fixed-constant.ts";
import { type GatedFunction, gatedActivation } from "./gated-activation.ts";

/** Names of activation functions; "clip" stands for any pair of bounds, "relu" and "relu6" for the two common ones. */
export type ActivationFunction =
  | "none" | "relu" | "relu6" | "clip" | "leaky-relu" | "prelu" | "thresholded-relu" | "elu" | "selu" | "celu" | "sigmoid"
  | "hard-sigmoid" | "tanh" | "softplus" | "softsign" | "silu" | "hard-swish" | "gelu" | "mish"; // biome-ignore format: a table

/** An activation function as it was found. */
export interface Activation {
  readonly function: ActivationFunction;
  /** Bounds of what comes out; infinite where there is none. */
  readonly low: number;
  readonly high: number;
  /** The nodes it consists of, in order: several for `x * sigmoid(x)`, or for Max after Min. */
  readonly nodes: readonly Node[];
}

/** No activation function. */
export const NO_ACTIVATION: Activation = {
  function: "none",
  low: Number.NEGATIVE_INFINITY,
  high: Number.POSITIVE_INFINITY,
  nodes: [],
};

/** Uses of every value of a graph; from `Graph.uses`. */
export type Uses = ReadonlyMap<Value, readonly Use[]>;

/** The minima of the functions that dip below zero, to four digits. */
const LEAST_VALUES: Readonly<Record<GatedFunction, number>> = {
  silu: -0.2785,
  "hard-swish": -0.375,
  gelu: -0.17,
  mish: -0.3088,
};

/** Functions of one node, with the bounds of what they give. */
const SINGLE_NODES: Readonly<Record<string, readonly [ActivationFunction, low: number, high: number]>> = {
  LeakyRelu: ["leaky-relu", -Infinity, Infinity],
  PRelu: ["prelu", -Infinity, Infinity],
  ThresholdedRelu: ["thresholded-relu", 0, Infinity],
  Elu: ["elu", -Infinity, Infinity],
  Selu: ["selu", -Infinity, Infinity],
  Celu: ["celu", -Infinity, Infinity],
  Sigmoid: ["sigmoid", 0, 1],
  HardSigmoid: ["hard-sigmoid", 0, 1],
  Tanh: ["tanh", -1, 1],
  Softplus: ["softplus", 0, Infinity],
  Softsign: ["softsign", -1, 1],
  HardSwish: ["hard-swish", LEAST_VALUES["hard-swish"], Infinity],
  Gelu: ["gelu", LEAST_VALUES.gelu, Infinity],
  Mish: ["mish", LEAST_VALUES.mish, Infinity],
};

/** Follows a value through the activation function after it, as far as nothing else uses what comes between. */
export function followActivation(
  value: Value,
  program: Program,
  uses: Uses,
): { readonly activation: Activation; readonly result: Value } {
  const gated = gatedActivation(value, program, uses);
  if (gated) {
    const { nodes } = gated;
    const activation = { function: gated.function, low: LEAST_VALUES[gated.function], high: Infinity, nodes };
    return { activation, result: nodes.at(-1)!.output() };
  }
  let result = value;
  let { low, high } = NO_ACTIVATION;
  const nodes: Node[] = [];
  for (;;) {
    const node = soleUser(result, program.graph, uses);
    const bounds = node && boundsOf(node, result, program);
    if (!bounds || bounds.low > bounds.high) break;
    low = Math.min(Math.max(low, bounds.low), bounds.high);
    high = Math.max(Math.min(high, bounds.high), bounds.low);
    nodes.push(node);
    result = node.output();
  }
  if (nodes.length > 0) return { activation: { function: clipName(low, high), low, high, nodes }, result };
  const node = soleUser(value, program.graph, uses);
  const found = node && node.inputs[0] === value ? singleNode(node) : undefined;
  if (!node || !found) return { activation: NO_ACTIVATION, result: value };
  return { activation: { function: found[0], low: found[1], high: found[2], nodes: [node] }, result: node.output() };
}

/** Returns the only node that uses a value, in the graph itself and once; undefined when the value is an output too. */
export function soleUser(value: Value, graph: Graph, uses: Uses): Node | undefined {
  const [use, ...others] = uses.get(value) ?? [];
  return others.length === 0 && use?.graph === graph ? use.node : undefined;
}

function singleNode(node: Node): readonly [ActivationFunction, number, number] | undefined {
  const standard = node.domain === "" || node.domain === "com.microsoft";
  if (!standard || !Object.hasOwn(SINGLE_NODES, node.operator)) return undefined;
  const isConvex = node.operator === "ThresholdedRelu" && node.float("alpha", 1) < 0;
  return isConvex ? ["thresholded-relu", -Infinity, Infinity] : SINGLE_NODES[node.operator];
}

function clipName(low: number, high: number): ActivationFunction {
  if (low !== 0) return "clip";
  if (high === Infinity) return "relu";
  return high === 6 ? "relu6" : "clip";
}

/** Exporters write "no bound" as the largest float32, too. */
const LARGEST_FLOAT = 3.4e38;

/** The bounds that Relu, Clip, Max or Min with constant numbers put on a value. */
export function boundsOf(node: Node, value: Value, program: Program): { low: number; high: number } | undefined {
  if (node.domain !== "") return undefined;
  const none = { low: -Infinity, high: Infinity };
  const numberAt = (index: number, absent: number): number | undefined =>
    node.inputs[index] ? scalarConstant(node.inputs[index], program.graph) : absent;
  switch (node.operator) {
    case "Relu":
      return { ...none, low: 0 };
    case "Clip": {
      if (node.inputs[0] !== value) return undefined;
      const low = program.opset < 11 ? node.float("min", -Infinity) : numberAt(1, -Infinity);
      const high = program.opset < 11 ? node.float("max", Infinity) : numberAt(2, Infinity);
      if (low === undefined || high === undefined) return undefined;
      return { low: low <= -LARGEST_FLOAT ? -Infinity : low, high: high >= LARGEST_FLOAT ? Infinity : high };
    }
    case "Max":
    case "Min": {
      if (node.inputs.length !== 2) return undefined;
      const bound = numberAt(node.inputs[0] === value ? 1 : 0, Number.NaN);
      if (bound === undefined || Number.isNaN(bound)) return undefined;
      return node.operator === "Max" ? { ...none, low: bound } : { ...none, high: bound };
    }
    default:
      return undefined;
  }
}
