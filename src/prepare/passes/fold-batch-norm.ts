/** Batch normalization after a linear layer, in inference: a scale and a shift per channel that the layer can do itself. */
import type { Graph, Node, Program } from "../../program/index.ts";
import { toNumbers } from "../../tensor/index.ts";
import { fixedConstant } from "../fixed-constant.ts";
import { absorbAffine, type ChannelAffine, soleLinearProducer } from "../linear-node.ts";
import type { Pass } from "../pass.ts";
import { takeOverOutput } from "../replace-value.ts";

/**
 * Folds BatchNormalization into the Conv, ConvTranspose or Gemm before it: `w <- w g`, `b <- (b - mean) g + beta` with
 * `g = gamma / sqrt(variance + epsilon)`, computed in float64 (ACIQ section 8 wants this first).
 *
 * Not folded: when the layer's output is used elsewhere too, in training mode, or with parameters that are not constant.
 */
export const foldBatchNorm: Pass = {
  name: "fold-batch-norm",
  summary: "Folds batch normalization into the layer before it.",
  run(program) {
    const { graph } = program;
    const uses = graph.uses();
    const folded = new Set<Node>();
    for (const node of graph.nodes) {
      if (!isInferenceBatchNorm(node, program)) continue;
      const linear = soleLinearProducer(node.inputs[0], graph, uses);
      // A batch norm's channels are axis 1, which a MatMul's columns are only in two dimensions: then it has become a Gemm.
      if (!linear || linear.node.operator === "MatMul") continue;
      const affine = batchNormAffine(node, graph);
      if (affine?.scale.length !== linear.channels || !absorbAffine(linear, affine, graph)) continue;
      takeOverOutput(linear.node, node);
      folded.add(node);
    }
    graph.nodes = graph.nodes.filter((node) => !folded.has(node));
    return folded.size;
  },
};

/** Returns whether a node normalizes with its stored statistics, per channel, whatever the version of the operator. */
export function isInferenceBatchNorm(node: Node, program: Program): boolean {
  if (node.operator !== "BatchNormalization" || node.domain !== "") return false;
  if (node.outputs.slice(1).some((output) => output)) return false;
  if (node.int("training_mode", 0) !== 0 || node.int("spatial", 1) !== 1) return false;
  return program.opset >= 7 || node.int("is_test", 0) !== 0;
}

/** The scale and shift that a batch normalization with constant parameters amounts to. */
function batchNormAffine(node: Node, graph: Graph): ChannelAffine | undefined {
  const parameters = [1, 2, 3, 4].map((index) => fixedConstant(node.inputs[index], graph));
  if (parameters.some((parameter) => !parameter)) return undefined;
  const [gamma, beta, mean, variance] = parameters.map((parameter) => toNumbers(parameter!.load()));
  const epsilon = node.float("epsilon", 1e-5);
  const scale = gamma!.map((factor, channel) => factor / Math.sqrt(variance![channel]! + epsilon));
  return { scale, shift: beta!.map((offset, channel) => offset - mean![channel]! * scale[channel]!) };
}
