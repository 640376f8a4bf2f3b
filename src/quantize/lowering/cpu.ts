/** Lowering for ONNX Runtime's CPU and WebAssembly builds: integer operators wherever both operands are integers. */
import type { Node } from "../../program/index.ts";
import { hasIntegerForm } from "../activation-plan.ts";
import { integerNodeRules } from "./cpu-elementwise.ts";
import { integerConv, integerGemm, integerMatMul, type LayerRule } from "./cpu-layers.ts";
import { IntegerEmitter } from "./integer-emitter.ts";
import type { LoweredProgram, QuantizationPlan, QuantizedLayer } from "./plan.ts";
import { foldableWeights } from "./weight-constants.ts";
import { emitWeightOnly } from "./weight-only.ts";

/** Which rule writes a layer of each kind when its input is quantized. */
const INTEGER_RULES: Readonly<Record<string, LayerRule>> = {
  conv: integerConv,
  "depthwise-conv": integerConv,
  gemm: integerGemm,
  matmul: integerMatMul,
};

/** Rewrites the plan's program with QLinearConv, QGemm, MatMulIntegerToFloat and their companions. */
export function lowerForCpu(plan: QuantizationPlan): LoweredProgram {
  const integers = new IntegerEmitter(plan);
  const written = new Set<Node>();
  for (const node of plan.program.graph.nodes) {
    if (written.has(node)) continue;
    const layers = plan.layers.get(node);
    if (layers) lowerLayers(layers, integers, written);
    else if (plan.activations.absorbed.has(node) && integers.hasCodes(node.output())) continue;
    else if (node.domain !== "" || !integerNodeRules.get(node.operator)?.(node, integers)) integers.keep(node);
  }
  plan.program.opsets.set("com.microsoft", 1);
  return integers.finish();
}

/** Writes the layers of one node. */
function lowerLayers(layers: readonly QuantizedLayer[], integers: IntegerEmitter, written: Set<Node>): void {
  const [quantized] = layers as readonly [QuantizedLayer];
  const { layer, weights } = quantized;
  const rule = INTEGER_RULES[layer.kind];
  const isConv = layer.kind === "conv" || layer.kind === "depthwise-conv";
  const canStore = !isConv || integers.stored(layer.output) !== undefined;
  if (rule && weights.granularity === "channel" && quantized.integer && hasIntegerForm(layer) && canStore) {
    rule({ ...quantized, weights }, integers);
    if (layer.biasNode) written.add(layer.biasNode);
  } else emitWeightOnly(layers, integers, written, foldableWeights);
}
