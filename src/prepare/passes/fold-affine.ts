/** Constants added to, or multiplied with, a linear layer's output: part of its bias and weights. */
import type { Graph, Node } from "../../program/index.ts";
import { fixedConstant } from "../fixed-constant.ts";
import {
  absorbAffine,
  type ChannelAffine,
  channelNumbers,
  type LinearNode,
  soleLinearProducer,
} from "../linear-node.ts";
import type { Pass } from "../pass.ts";
import { takeOverOutput } from "../replace-value.ts";

/**
 * Folds Add, Sub, Mul and Div by a constant that is one number, or one per channel, into the Conv, ConvTranspose, Gemm or
 * MatMul before it (a MatMul takes factors only). Exporters write biases and folded normalizations like this.
 */
export const foldAffine: Pass = {
  name: "fold-affine",
  summary: "Folds constants added or multiplied per channel into the layer before.",
  run({ graph }) {
    const uses = graph.uses();
    const folded = new Set<Node>();
    for (const node of graph.nodes) {
      // Before opset 7 these operators broadcast by attributes; such nodes are left alone.
      if (node.domain !== "" || node.attributes.size > 0 || node.inputs.length !== 2) continue;
      for (const index of [0, 1]) {
        const linear = soleLinearProducer(node.inputs[index], graph, uses);
        const affine = linear && elementwiseAffine(node, index, linear, graph);
        if (!affine || !absorbAffine(linear, affine, graph)) continue;
        takeOverOutput(linear.node, node);
        folded.add(node);
        break;
      }
    }
    graph.nodes = graph.nodes.filter((node) => !folded.has(node));
    return folded.size;
  },
};

/** The scale and shift that an elementwise node with a constant does to the layer's output at `inputs[index]`. */
function elementwiseAffine(node: Node, index: number, linear: LinearNode, graph: Graph): ChannelAffine | undefined {
  if (!["Add", "Sub", "Mul", "Div"].includes(node.operator)) return undefined;
  const numbers = channelNumbers(fixedConstant(node.inputs[1 - index], graph), linear);
  if (!numbers) return undefined;
  const ones = new Float64Array(linear.channels).fill(1);
  const zeros = new Float64Array(linear.channels);
  switch (node.operator) {
    case "Add":
      return { scale: ones, shift: numbers };
    case "Sub":
      return index === 0
        ? { scale: ones, shift: numbers.map((number) => -number) }
        : { scale: ones.map((one) => -one), shift: numbers };
    case "Mul":
      return { scale: numbers, shift: zeros };
    default:
      return index === 0 ? { scale: numbers.map((number) => 1 / number), shift: zeros } : undefined;
  }
}
