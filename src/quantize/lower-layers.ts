/** From decisions to a rewritten program: quantizes every layer's weights and calls the target's lowering. */
import type { Layer } from "../prepare/index.ts";
import type { Node, Program, Value } from "../program/index.ts";
import type { ActivationPlan } from "./activation-plan.ts";
import { breathing } from "./breathing.ts";
import type { ActivationCalibration } from "./calibrate-activations.ts";
import { deployableGrids, simulatedGrids } from "./choose-grids.ts";
import type { ActivationGrid, Grid } from "./grid.ts";
import { lowerForCpu } from "./lowering/cpu.ts";
import type { LoweredProgram, QuantizationPlan, QuantizedLayer } from "./lowering/plan.ts";
import { lowerPortably } from "./lowering/portable.ts";
import { lowerToSimulation } from "./lowering/simulate.ts";
import { lowerForWebGpu } from "./lowering/webgpu.ts";
import type { Target } from "./options.ts";
import { assignBits } from "./policy.ts";
import { canUseBlocks, layerWeights, quantizeLayer } from "./quantize-layer.ts";
import { FLOAT_BITS, type Settings } from "./settings.ts";
import { type SimulatedWeights, simulateLayer } from "./simulate-layer.ts";

/** What became of a layer's weights. */
export interface LoweredLayer {
  readonly layer: Layer;
  /** Mean over channels where bits are allocated. */
  readonly weightBits: number;
  /** Of the numbers that the weights now stand for, dB. */
  readonly weightSqnrDb: number;
  readonly reason: string | null;
}

/** A rewritten program and its layers. */
export interface LoweredLayers extends LoweredProgram {
  readonly layers: readonly LoweredLayer[];
}

const LOWERINGS: Readonly<Record<Target, (plan: QuantizationPlan) => LoweredProgram>> = {
  cpu: lowerForCpu,
  webgpu: lowerForWebGpu,
  portable: lowerPortably,
};

/** Rewrites a prepared program in place. Rejects with the signal's reason when that is aborted; the program is then unchanged. */
export async function lowerLayers(
  program: Program,
  layers: readonly Layer[],
  activations: ActivationPlan,
  calibration: ActivationCalibration,
  { settings, signal }: { readonly settings: Settings; readonly signal: AbortSignal | undefined },
): Promise<LoweredLayers> {
  const breathe = breathing(signal);
  if (settings.simulate) return simulateLayers(program, layers, calibration, settings, breathe);
  const grids = deployableGrids(calibration.choices, activations);
  const bitsOf = assignBits(settings.policy, layers, settings);
  const quantized: QuantizedLayer[] = [];
  const lowered: LoweredLayer[] = [];
  const byWeight = new Map<Value, QuantizedLayer>();
  for (const layer of settings.weights === FLOAT_BITS ? [] : layers) {
    await breathe();
    const { weights: bits, reason } = bitsOf.get(layer)!;
    const inFloat = calibration.floatLayers.get(layer);
    const inputGrid = inFloat === undefined ? grids.get(layer.input) : undefined;
    const made = quantizeLayer(layer, {
      bits,
      granularity: granularityOf(layer, settings, inputGrid),
      clip: settings.weightRange === "mse" && bits <= 4 ? "mse" : "max",
      correction: settings.correction,
      inputMoments: calibration.inputMoments.get(layer.input),
      inputGrid: settings.target === "webgpu" ? undefined : finestGrid(inputGrid),
      sameWeights: byWeight.get(layer.weight),
    });
    byWeight.set(layer.weight, made.quantized);
    quantized.push(made.quantized);
    lowered.push({
      layer,
      weightBits: bits,
      weightSqnrDb: sqnrDb(layerWeights(layer), made.floats),
      reason: inFloat ?? reason,
    });
  }
  const plan = { program, layers: byNode(quantized), activations, grids };
  return { ...LOWERINGS[settings.target](plan), layers: lowered };
}

/** The grid of the input channel with the smallest scale: what has room for a bias there has it in all. */
function finestGrid(grid: ActivationGrid | undefined): Grid | undefined {
  if (!grid?.channelScales) return grid;
  return { ...grid, scale: grid.scale * grid.channelScales.reduce((least, scale) => Math.min(least, scale)) };
}

/** Blocks where an operator takes them and the products are not integer products anyway. */
function granularityOf(layer: Layer, { target }: Settings, inputGrid: Grid | undefined): "channel" | "block" {
  if (target === "portable" || !canUseBlocks(layer)) return "channel";
  return inputGrid && layer.kind !== "embedding" ? "channel" : "block";
}

async function simulateLayers(
  program: Program,
  layers: readonly Layer[],
  calibration: ActivationCalibration,
  settings: Settings,
  breathe: () => Promise<void>,
): Promise<LoweredLayers> {
  const bitsOf = assignBits(settings.policy, layers, settings);
  const lowered: LoweredLayer[] = [];
  const simulated: SimulatedWeights[] = [];
  for (const layer of settings.weights === FLOAT_BITS ? [] : layers) {
    await breathe();
    const { weights: bits, reason } = bitsOf.get(layer)!;
    const { weightAllocation: allocation, correction, weightRange } = settings;
    const made = simulateLayer(layer, { bits, allocation, correction, clip: weightRange === "mse" ? "mse" : "max" });
    lowered.push({ layer, weightBits: made.meanBits, weightSqnrDb: sqnrDb(layerWeights(layer), made.floats), reason });
    simulated.push(made);
  }
  return {
    ...lowerToSimulation({ program, layers: byNode(simulated), grids: simulatedGrids(calibration.choices) }),
    layers: lowered,
  };
}

function sqnrDb(values: Float32Array, floats: Float32Array): number {
  let signal = 0;
  let noise = 0;
  for (let i = 0; i < values.length; i++) {
    signal += values[i]! ** 2;
    noise += (values[i]! - floats[i]!) ** 2;
  }
  return noise === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10(signal / noise);
}

/** A recurrent node has two layers, one for each of its weight tensors. */
function byNode<L extends { readonly layer: Layer }>(layers: readonly L[]): Map<Node, L[]> {
  const grouped = new Map<Node, L[]>();
  for (const one of layers) grouped.set(one.layer.node, [...(grouped.get(one.layer.node) ?? []), one]);
  return grouped;
}
