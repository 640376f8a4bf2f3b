/** Lowering to standard operators only: QuantizeLinear and DequantizeLinear around a float graph (QDQ). */
import { Emitter, type Node, type Value } from "../../program/index.ts";
import { float32, Tensor } from "../../tensor/index.ts";
import { hasIntegerForm } from "../activation-plan.ts";
import type { Grid } from "../grid.ts";
import type { ChannelWeights } from "../quantized-weights.ts";
import { insertAfterValues } from "./insert-after-values.ts";
import type { LoweredProgram, QuantizationPlan, QuantizedLayer } from "./plan.ts";
import { dequantizedWeights, integerBias, shiftedBias } from "./weight-constants.ts";
import { useWeights } from "./weight-only.ts";

/** Rewrites the plan's program in place; runtimes fuse the pairs into integer operators where they have them. */
export function lowerPortably(plan: QuantizationPlan): LoweredProgram {
  const emitter = new Emitter();
  saturateInsteadOfBounding(plan);
  const values = insertAfterValues(plan.program, plan.grids, emitter, {
    insert: (value, grid) => quantizeAndBack(value, grid, emitter),
    before: (node) => {
      for (const quantized of plan.layers.get(node) ?? []) {
        const { weights } = quantized;
        if (weights.granularity === "block") throw new Error("internal: portable models have no block-wise weights");
        replaceWeights({ ...quantized, weights }, plan, emitter);
      }
    },
  });
  return { program: plan.program, values };
}

/**
 * Removes the activation functions that QuantizeLinear performs by saturation. ONNX Runtime 1.30 fails to load some models
 * with a Clip between a Conv and its QuantizeLinear.
 */
function saturateInsteadOfBounding({ program: { graph }, activations, grids }: QuantizationPlan): void {
  const removed = new Set<Node>();
  for (const [output, result] of activations.stored) {
    if (output === result || !grids.has(result)) continue;
    for (let value = result; value !== output; ) {
      const node = value.producer!;
      removed.add(node);
      value = node.inputs.find((input) => input && !input.constant)!;
    }
    const { outputs } = output.producer!;
    outputs[outputs.indexOf(output)] = result;
    result.producer = output.producer;
  }
  graph.nodes = graph.nodes.filter((node) => !removed.has(node));
}

/** Emits QuantizeLinear and DequantizeLinear, and returns what comes out. */
function quantizeAndBack(value: Value, grid: Grid, emitter: Emitter): Value {
  const scale = emitter.constant(`${value.name}_scale`, float32([], [grid.scale]));
  const zeroPoint = emitter.constant(
    `${value.name}_zero_point`,
    new Tensor("uint8", [], Uint8Array.of(grid.zeroPoint)),
  );
  const codes = emitter.emit("QuantizeLinear", [value, scale, zeroPoint], {
    output: `${value.name}_quantized`,
    dtype: "uint8",
    shape: value.shape,
  });
  return emitter.emit("DequantizeLinear", [codes, scale, zeroPoint], {
    output: `${value.name}_dequantized`,
    dtype: "float32",
    shape: value.shape,
  });
}

/** Gives a layer dequantized weights, and where its input is quantized an int32 bias in the products' own units. */
function replaceWeights(quantized: QuantizedLayer<ChannelWeights>, plan: QuantizationPlan, emitter: Emitter): void {
  const { layer, weights } = quantized;
  useWeights(quantized, dequantizedWeights(emitter, quantized), emitter);
  const grid = plan.grids.get(layer.input);
  if (!grid || weights.bits <= 4 || layer.kind === "matmul" || !hasIntegerForm(layer)) return;
  if (!shiftedBias(quantized)) return;
  const bias = integerBias(emitter, quantized, grid.scale)!;
  const scales = Float32Array.from(weights.grids, ({ scale }) => scale * grid.scale);
  const scale = emitter.constant(`${layer.weight.name}_bias_scale`, float32([scales.length], scales));
  const options = {
    attributes: { axis: 0 },
    output: `${layer.weight.name}_bias_dequantized`,
    dtype: "float32" as const,
  };
  layer.node.inputs[2] = emitter.emit("DequantizeLinear", [bias, scale], options);
}
