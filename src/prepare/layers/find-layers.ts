/** Finding every layer of a program: what can be quantized, and why the rest cannot. */
import { type Constant, constantSize, type Graph, type Node, type Program, type Value } from "../../program/index.ts";
import { fixedConstant } from "../fixed-constant.ts";
import { isPerChannel, linearNode } from "../linear-node.ts";
import { followActivation, NO_ACTIVATION, soleUser, type Uses } from "./activation.ts";
import { becomesScores, feedsResidualAdd, graphPositions } from "./graph-position.ts";
import type { Layer } from "./layer.ts";
import { type WeightUse, weightUses } from "./weight-use.ts";

/** A layer before what surrounds it is known. */
interface Candidate {
  readonly node: Node;
  readonly use: WeightUse;
  readonly weight: Value;
  readonly reason: string | undefined;
}

/** Weights of these types can be quantized. */
const QUANTIZABLE: ReadonlySet<string> = new Set(["float32", "float16", "bfloat16"]);

/**
 * Finds the layers of a program, in execution order, those of sub-graphs last. Works on any program; on a prepared one more
 * weights are constant, biases are in their layers, and ranks are known (see `prepareProgram`).
 *
 * Every Conv, ConvTranspose, Gemm, MatMul, LSTM, GRU, RNN and Gather on a constant float table is listed, with a `reason`
 * when it cannot be quantized, such as a product of two activations. Recurrent layers come once per weight tensor.
 *
 * @example
 * const layers = findLayers(program).filter((layer) => layer.reason === undefined);
 */
export function findLayers(program: Program): Layer[] {
  const { graph } = program;
  const candidates = graph.nodes.flatMap((node) => candidatesOf(node, graph));
  const uses = graph.uses();
  const withWeights = new Set(candidates.filter(({ weight }) => weight.constant).map(({ node }) => node));
  const quantized = candidates.filter(({ weight }) => weight.producer?.operator === "DequantizeLinear");
  for (const { node } of quantized) withWeights.add(node);
  const positions = graphPositions(graph, withWeights);
  const layers = candidates.map((candidate): Layer => {
    const { node, use } = candidate;
    const input = node.input(use.inputIndex);
    const after = surroundings(candidate, program, uses);
    const isFirst = positions.fromInput.has(input) && !positions.afterLayer.has(input);
    const isLast = withWeights.has(node) && !node.outputs.some((value) => value && positions.beforeLayer.has(value));
    const isProduct = use.kind === "gemm" || use.kind === "matmul";
    return {
      ...describe(candidate),
      ...after,
      reason: candidate.reason ?? otherUseOf(candidate, candidates, uses),
      sharesWeight: (uses.get(candidate.weight)?.length ?? 0) > 1,
      input,
      feedsResidualAdd: feedsResidualAdd(after.result, uses),
      isFirst: isFirst && withWeights.has(node),
      isLast,
      isClassifier: isLast && (isProduct || becomesScores(after.result, uses)),
    };
  });
  return [...layers, ...subgraphLayers(program)];
}

function candidatesOf(node: Node, graph: Graph): Candidate[] {
  const constantAt = (index: number): Constant | undefined => fixedConstant(node.inputs[index], graph);
  return weightUses(node, constantAt).flatMap((use) => {
    const weight = node.inputs[use.weightIndex];
    if (!weight || !node.inputs[use.inputIndex]) return [];
    return [{ node, use, weight, reason: constantReason(weight, constantAt(use.weightIndex)) ?? use.reason }];
  });
}

/** Why weights cannot be quantized, from what they are. */
function constantReason(weight: Value, constant: Constant | undefined): string | undefined {
  if (constant) {
    if (!QUANTIZABLE.has(constant.dtype)) return `its weights are ${constant.dtype}`;
    return constantSize(constant) === 0 ? "its weights are empty" : undefined;
  }
  if (weight.constant) return "its weights are an input of the model with a default, which callers may override";
  if (weight.producer?.operator === "DequantizeLinear") return "its weights are quantized already";
  return "it has no constant weights: both operands are computed at run time";
}

/** Weights that are needed in float elsewhere would only be stored a second time. */
function otherUseOf({ weight }: Candidate, candidates: readonly Candidate[], uses: Uses): string | undefined {
  if (!weight.constant) return undefined;
  for (const use of uses.get(weight) ?? []) {
    const isLayer = candidates.some(
      (other) => other.node === use.node && other.weight === weight && other.use.weightIndex === use.index,
    );
    if (!isLayer) return `its weights are also used by ${use.node ? use.node.label : "the model's output"}`;
  }
  return undefined;
}

function describe({ node, use, weight }: Candidate) {
  const { kind, weightIndex, outputChannelAxis, inputChannelAxis, groups, spatialRank } = use;
  return { node, kind, weight, weightIndex, outputChannelAxis, inputChannelAxis, groups, spatialRank };
}

/** Bias, activation function and what is known about the result. */
function surroundings({ node, use }: Candidate, program: Program, uses: Uses) {
  const output = node.outputs.find((value) => value) ?? node.output();
  const inner = use.biasIndex === undefined ? undefined : node.inputs[use.biasIndex];
  const added = use.kind === "matmul" ? addedBias(node, program.graph, uses) : undefined;
  const biased = added?.node.output() ?? output;
  const hasFunction = use.kind !== "recurrent" && use.kind !== "embedding";
  const { activation, result } = hasFunction
    ? followActivation(biased, program, uses)
    : { activation: NO_ACTIVATION, result: biased };
  const side: Layer["side"] = activation.low >= 0 ? "one-sided" : "two-sided";
  return { bias: added?.bias ?? inner, biasNode: added?.node, output: biased, activation, result, side };
}

/** The Add of a constant per output feature that follows a MatMul. */
function addedBias(node: Node, graph: Graph, uses: Uses): { node: Node; bias: Value } | undefined {
  const output = node.output();
  const add = soleUser(output, graph, uses);
  const linear = linearNode(node, graph);
  if (!linear || add?.operator !== "Add" || add.domain !== "") return undefined;
  const bias = add.inputs.find((input) => input !== output);
  const constant = fixedConstant(bias, graph);
  return bias && constant && isPerChannel(constant, linear) ? { node: add, bias } : undefined;
}

/** Layers inside If, Loop and Scan: listed so that a report can name them, never quantized. */
function subgraphLayers(program: Program): Layer[] {
  return program.graph.nodes.flatMap((holder) =>
    holder.subgraphs.flatMap((subgraph) => layersInside(subgraph, holder)),
  );
}

function layersInside(graph: Graph, holder: Node): Layer[] {
  const own = graph.nodes
    .flatMap((node) => candidatesOf(node, graph))
    .map((candidate): Layer => {
      const output = candidate.node.outputs.find((value) => value) ?? candidate.node.output();
      return {
        ...describe(candidate),
        reason: `it is inside a sub-graph of ${holder.label}`,
        input: candidate.node.input(candidate.use.inputIndex),
        output,
        result: output,
        bias: undefined,
        biasNode: undefined,
        activation: NO_ACTIVATION,
        side: "two-sided",
        sharesWeight: false,
        feedsResidualAdd: false,
        isFirst: false,
        isLast: false,
        isClassifier: false,
      };
    });
  return [...own, ...graph.nodes.flatMap((node) => node.subgraphs.flatMap((inner) => layersInside(inner, holder)))];
}
