import { describe, expect, it } from "vitest";
import { findLayers, type Layer, prepareProgram } from "../../prepare/index.ts";
import { cloneProgram, constantValue, type Program } from "../../program/index.ts";
import { float32 } from "../../tensor/index.ts";
import { canUseBlocks, quantizeLayer } from "../quantize-layer.ts";
import { operators, runtime, sqnrDb } from "../small-models.cases.ts";
import { layerModels } from "./layer-models.cases.ts";
import {
  batchesOf,
  quantizeAs,
  relativeDifference,
  run,
  SETTINGS,
  type Setting,
  settingName,
} from "./lower-model.cases.ts";

/**
 * Fewest decibels of the output. Rounding 3 sigma to a b-bit grid costs 6 b - 5 dB: 43 at 8 bits, 19 at 4. Up to three
 * layers in a row, weights and activations, add up to some 6 dB; the rest is room for so few channels.
 */
function fewestDecibels({ weights, activations }: Setting): number {
  const bits = Math.min(weights, activations);
  return bits === 8 ? 32 : activations === 4 ? 9 : 12;
}

const FLOAT_LAYERS = /^(Conv|ConvTranspose|Gemm|MatMul|Gather|LSTM|GRU)$/;

describe.each(layerModels)("$name", ({ build, rows, floatOperator }) => {
  const program = build();
  const batches = batchesOf(program, rows);

  it.each(SETTINGS.map((setting) => [settingName(setting), setting] as const))(
    "%s is close to float",
    async (_, setting) => {
      const { program: quantized, report } = await quantizeAs(program, setting, batches);
      const actual = await run(quantized, batches[0]!, { keepQuantization: setting.target === "simulate" });
      expect(sqnrDb(await run(program, batches[0]!), actual)).toBeGreaterThan(fewestDecibels(setting));
      for (const layer of report.layers) {
        expect(layer.note).toBeNull();
        expect(layer.sqnrDb).toBeGreaterThan(fewestDecibels(setting));
      }
      expect(ends(quantized)).toEqual(ends(program));
      if (setting.target === "portable") expect(domains(quantized)).toEqual([""]);
      if (setting.target !== "cpu" || setting.activations === 16) return;
      // Integers wherever a kernel has them. A table whose rows are whole blocks is looked up by ONNX Runtime's own operator.
      const left = operators(quantized).filter((operator) => FLOAT_LAYERS.test(operator));
      const inBlocks = operators(quantized).includes("com.microsoft.GatherBlockQuantized");
      expect(left).toEqual(floatOperator && !inBlocks ? [floatOperator] : []);
    },
  );

  it.each(["cpu", "webgpu", "portable"] as const)("%s weights stand for exactly what was computed", async (target) => {
    for (const weights of target === "cpu" ? [4, 8] : [4]) {
      const setting = { target, weights, activations: 16 };
      const { program: quantized } = await quantizeAs(program, setting, batches, { correction: "none" });
      const expected = await run(await withRoundedWeights(program, setting), batches[0]!);
      // Its optimizer turns a dequantized matrix into MatMulNBits.
      const actual = await run(quantized, batches[0]!, { optimization: "disabled" });
      // Float sums in another order, 1e-6; MatMulNBits also rounds its inputs to int8, 32 at a time, some 1e-2 at worst.
      const tolerance = operators(quantized).some((operator) => operator.includes("MatMulNBits")) ? 2e-2 : 1e-5;
      expect(relativeDifference(expected, actual)).toBeLessThan(tolerance);
    }
  });

  it("simulates the same whatever the optimizer does", async () => {
    const setting = { target: "simulate", weights: 4, activations: 4 } as const;
    const { program: quantized } = await quantizeAs(program, setting, batches);
    const plain = await run(quantized, batches[0]!, { optimization: "disabled" });
    const optimized = await run(quantized, batches[0]!, { optimization: "all" });
    // Sums in another order may put a number on the other side of a rounding step: none does here.
    expect(relativeDifference(plain, optimized)).toBeLessThan(1e-5);
  });
});

/** The float model with each weight replaced by what its codes stand for, computed on the host. */
async function withRoundedWeights(program: Program, { target, weights: bits }: Setting): Promise<Program> {
  const { program: prepared } = await prepareProgram(cloneProgram(program).program, { runtime });
  for (const layer of findLayers(prepared)) {
    const granularity = target !== "portable" && canUseBlocks(layer) ? "block" : "channel";
    const clip = bits <= 4 ? "mse" : "max";
    const blockGrid = bits <= 4 && target !== "webgpu" ? "asymmetric" : "symmetric";
    const { floats } = quantizeLayer(layer, { ...COARSE, bits, granularity, blockGrid, clip });
    replaceWeight(layer, floats);
  }
  return prepared;
}

const COARSE = { correction: "none", inputMoments: undefined, inputGrid: undefined } as const;

function replaceWeight(layer: Layer, floats: Float32Array): void {
  const { name, constant } = layer.weight;
  layer.node.inputs[layer.weightIndex] = constantValue(name, float32(constant!.shape, floats));
}

/** Names and types of what goes in and out: never codes, never fewer than 8 bits. */
function ends({ graph }: Program): unknown[] {
  return [graph.inputs, graph.outputs].map((values) => values.map(({ name, dtype }) => [name, dtype]));
}

function domains(program: Program): string[] {
  return [...new Set([...program.opsets.keys(), ...[...program.allNodes()].map(({ domain }) => domain)])];
}
