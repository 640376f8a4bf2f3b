/** Lowering for WebGPU: integer weights that kernels or DequantizeLinear turn into floats; activations stay in float. */
import type { Node } from "../../program/index.ts";
import { IntegerEmitter } from "./integer-emitter.ts";
import type { LoweredProgram, QuantizationPlan } from "./plan.ts";
import { emitWeightOnly } from "./weight-only.ts";

/** Rewrites the plan's program with dequantized weights, MatMulNBits and GatherBlockQuantized. */
export function lowerForWebGpu(plan: QuantizationPlan): LoweredProgram {
  const integers = new IntegerEmitter(plan);
  const written = new Set<Node>();
  for (const node of plan.program.graph.nodes) {
    if (written.has(node)) continue;
    const layers = plan.layers.get(node);
    if (layers) emitWeightOnly(layers, integers, written);
    else integers.keep(node);
  }
  if ([...plan.layers.values()].flat().some(({ weights }) => weights.granularity === "block")) {
    plan.program.opsets.set("com.microsoft", 1);
  }
  return integers.finish();
}
