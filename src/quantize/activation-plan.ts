/** Which activation tensors are quantized, where their statistics come from, and which of them share one grid. */

import { type ActivationFunction, followActivation, type Layer, type LayerKind } from "../prepare/index.ts";
import type { Graph, Node, Program, Use, Value } from "../program/index.ts";
import { hasChannelBias } from "./channel-bias.ts";
import { feedsMaximum } from "./feeds-maximum.ts";

/** An activation tensor to be quantized. */
export interface ActivationRequest {
  /** The value as it is stored: after the activation function that saturation can take over. */
  readonly value: Value;
  /** The value its statistics describe: before that activation function (ACIQ section 3). */
  readonly statisticsOf: Value;
  readonly side: "two-sided" | "one-sided";
  /** Bounds an activation function sets (ReLU: 0 to infinity). */
  readonly low: number;
  readonly high: number;
  /** "layer": a layer's output. "sum", "pool": what additions and pools make of those. "input": anything else a layer reads. */
  readonly role: "layer" | "sum" | "pool" | "input";
  readonly layer: Layer | undefined;
  /** Whether a maximum over places follows, which clipping would falsify. */
  readonly feedsMaximum: boolean;
}

/** The activations of a program that are to be quantized. */
export interface ActivationPlan {
  readonly requests: ReadonlyMap<Value, ActivationRequest>;
  /** Values that only move elements of another value: quantized with its grid. */
  readonly sameGridAs: ReadonlyMap<Value, Value>;
  /** Concatenations: all parts and the whole share the union of the parts' ranges. Keyed by the whole. */
  readonly concatenations: ReadonlyMap<Value, readonly Value[]>;
  /** Activation nodes that the saturation of the value before them performs. */
  readonly absorbed: ReadonlySet<Node>;
  /** What a layer's or a sum's codes stand for, by its own output: that output, or what absorbed nodes make of it. */
  readonly stored: ReadonlyMap<Value, Value>;
}

/** Operators that only move elements (input 0 to output 0): an integer tensor passes through them as it is. */
export const MOVING_OPERATORS: ReadonlySet<string> = new Set([
  "Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze", "Slice", "MaxPool", "Pad", "Identity", "Expand", "Tile", "Gather",
]); // biome-ignore format: a table

const POOLS: ReadonlySet<string> = new Set(["AveragePool", "GlobalAveragePool"]);

/** Layers whose products can be integer products; the others have quantized weights only. */
const INTEGER_KINDS: ReadonlySet<LayerKind> = new Set(["conv", "depthwise-conv", "gemm", "matmul"]);

/** Returns whether a layer's products can be integer products: plain operators on float32, the weights on the right. */
export function hasIntegerForm(layer: Layer): boolean {
  const { kind, node, weight, weightIndex, input } = layer;
  if (!INTEGER_KINDS.has(kind) || node.domain !== "" || weightIndex !== 1) return false;
  if (weight.dtype !== "float32" || input.dtype !== "float32" || !hasChannelBias(layer)) return false;
  if (kind === "matmul") return weight.constant!.shape.length === 2;
  return kind !== "gemm" || (node.float("alpha", 1) === 1 && node.float("beta", 1) === 1);
}

/** What to plan for. */
export interface PlanOptions {
  /** Whether results that no layer reads are quantized too, such as a classifier's scores. */
  readonly scores: boolean;
  /** Whether sums of quantized tensors are quantized again. */
  readonly sums: boolean;
}

/**
 * Decides which activations are quantized, given the layers whose inputs and outputs shall be.
 *
 * Starts from every layer's input and result; sums, pools and element moves of quantized tensors stay quantized, so that
 * integers flow from layer to layer.
 */
export function planActivations(
  program: Program,
  layers: readonly Layer[],
  { scores, sums }: PlanOptions,
): ActivationPlan {
  const integerLayers = layers.filter(hasIntegerForm);
  const read = scores ? undefined : valuesBefore(integerLayers, program.graph);
  const planner = new Planner(program, sums, read);
  for (const layer of integerLayers) {
    // A convolution has no form with integers in and floats out; products of matrices have.
    const isScores = layer.isClassifier && (layer.kind === "gemm" || layer.kind === "matmul");
    if (scores || !isScores) planner.addOutput(layer, "layer", layer);
  }
  const layerNodes = new Set(layers.flatMap((layer) => [layer.node, layer.biasNode]));
  for (const node of program.graph.nodes) if (!layerNodes.has(node)) planner.visit(node);
  if (sums) for (const layer of integerLayers) planner.addInput(layer);
  return planner;
}

class Planner implements ActivationPlan {
  readonly requests = new Map<Value, ActivationRequest>();
  readonly sameGridAs = new Map<Value, Value>();
  readonly concatenations = new Map<Value, readonly Value[]>();
  readonly absorbed = new Set<Node>();
  readonly stored = new Map<Value, Value>();
  readonly #program: Program;
  readonly #sums: boolean;
  readonly #read: ReadonlySet<Value> | undefined;
  readonly #uses: Map<Value, Use[]>;
  readonly #aroundDilatedPools: ReadonlySet<Value | undefined>;

  /** @param read Values on which layers depend: others are not quantized between layers. All when absent. */
  constructor(program: Program, sums: boolean, read: ReadonlySet<Value> | undefined) {
    this.#program = program;
    this.#sums = sums;
    this.#read = read;
    this.#uses = program.graph.uses();
    this.#aroundDilatedPools = new Set(
      program.graph.nodes.filter(isDilatedPool).flatMap((node) => [...node.inputs, ...node.outputs]),
    );
  }

  /** Registers what a layer or node produces, or what ReLU or Clip makes of it when nothing else reads it before. */
  addOutput(
    { output, activation, result }: Pick<Layer, "output" | "activation" | "result">,
    role: ActivationRequest["role"],
    layer: Layer | undefined,
  ): void {
    const { low, high } = activation;
    if (this.#aroundDilatedPools.has(output) || this.#aroundDilatedPools.has(result)) return;
    if (SATURATIONS.has(activation.function) && low <= 0 && high >= 0) {
      for (const node of activation.nodes) this.absorbed.add(node);
      this.stored.set(output, result);
      const side = low === 0 ? "one-sided" : "two-sided";
      const maximum = feedsMaximum(result, this.#uses);
      const request = {
        value: result,
        statisticsOf: output,
        side,
        low,
        high,
        role,
        layer,
        feedsMaximum: maximum,
      } as const;
      this.requests.set(result, request);
    } else {
      this.stored.set(output, output);
      this.#addUnbounded(output, role, layer);
    }
  }

  addInput(layer: Layer): void {
    const { input } = layer;
    if (this.#isQuantized(input) || this.#aroundDilatedPools.has(input) || isMovedSoftmax(input)) return;
    this.#addUnbounded(input, "input", layer);
  }

  /** Looks at a node between layers: does it keep quantized tensors quantized? */
  visit(node: Node): void {
    const [first] = node.inputs;
    if (node.domain !== "" || node.outputs.length !== 1 || first?.dtype !== "float32") return;
    if (this.#read && !this.#read.has(node.output())) return;
    const all = node.inputs.every((input) => input !== undefined && this.#isQuantized(input));
    if (node.operator === "Add" && all && this.#sums) this.#addFollowed(node, "sum");
    else if (POOLS.has(node.operator) && all) this.#addFollowed(node, "pool");
    else if (node.operator === "Concat" && all) this.#addConcatenation(node);
    else if (MOVING_OPERATORS.has(node.operator) && this.#isQuantized(first) && movesOnly(node)) {
      this.sameGridAs.set(node.output(), first);
    }
  }

  #isQuantized(value: Value): boolean {
    return this.requests.has(value) || this.sameGridAs.has(value) || this.concatenations.has(value);
  }

  #addUnbounded(value: Value, role: ActivationRequest["role"], layer: Layer | undefined): void {
    const bounds = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
    const maximum = feedsMaximum(value, this.#uses);
    const request = {
      value,
      statisticsOf: value,
      side: "two-sided",
      ...bounds,
      role,
      layer,
      feedsMaximum: maximum,
    } as const;
    this.requests.set(value, request);
  }

  #addFollowed(node: Node, role: ActivationRequest["role"]): void {
    this.addOutput(
      { output: node.output(), ...followActivation(node.output(), this.#program, this.#uses) },
      role,
      undefined,
    );
  }

  #addConcatenation(node: Node): void {
    const parts = node.inputs as Value[];
    const [first] = parts.map((part) => this.requests.get(part));
    const fit = parts.every((part) => {
      const request = this.requests.get(part);
      // The bounds of an absorbed ReLU are those of its grid: parts with other bounds cannot share it.
      return this.#uses.get(part)?.length === 1 && request?.low === first?.low && request?.high === first?.high;
    });
    if (first && fit) this.concatenations.set(node.output(), parts);
  }
}

/**
 * Whether a node is an average pool with dilations. Between quantized values ONNX Runtime 1.30 makes it an integer pool, which
 * it then refuses to load for that attribute: what is around one stays in float.
 */
function isDilatedPool(node: Node): boolean {
  return node.operator === "AveragePool" && (node.ints("dilations")?.some((dilation) => dilation !== 1) ?? false);
}

/**
 * Whether a value is the result of a Softmax, moved or not. Between quantized values ONNX Runtime 1.30 makes it an integer
 * Softmax, whose products overflow 32 bits when the scale of its result is below 1/512: what comes out stays in float.
 */
function isMovedSoftmax(value: Value): boolean {
  for (let node = value.producer; node !== undefined; node = node.inputs[0]?.producer) {
    if (node.operator === "Softmax") return true;
    if (!MOVING_OPERATORS.has(node.operator)) return false;
  }
  return false;
}

/** Activation functions that saturating arithmetic performs: they only bound what comes out. */
const SATURATIONS: ReadonlySet<ActivationFunction> = new Set(["relu", "relu6", "clip"]);

/** Returns whether a node of MOVING_OPERATORS keeps the meaning of codes: Pad only with constant zeros. */
function movesOnly(node: Node): boolean {
  if (node.operator !== "Pad") return true;
  const value = node.inputs[2];
  if (node.string("mode", "constant") !== "constant") return true;
  if (!value) return node.float("value", 0) === 0;
  return value.constant !== undefined && Number((value.constant.load().data as Float32Array)[0]) === 0;
}

/** Returns the values that layers depend on: their inputs, and everything those are computed from. */
function valuesBefore(layers: readonly Layer[], graph: Graph): Set<Value> {
  const values = new Set(layers.map((layer) => layer.input));
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((output) => output && values.has(output))) continue;
    for (const input of node.inputs) if (input) values.add(input);
  }
  return values;
}
