/** From decisions to a rewritten program: quantizes every layer's weights and calls the target's lowering. */
import type { Layer } from "../prepare/index.ts";
import type { Node, Program } from "../program/index.ts";
import type { ActivationCalibration } from "./calibrate-activations.ts";
import { simulatedGrids } from "./choose-grids.ts";
import { lowerForCpu } from "./lowering/cpu.ts";
import type { LoweredProgram, QuantizationPlan } from "./lowering/plan.ts";
import { lowerPortably } from "./lowering/portable.ts";
import { lowerToSimulation } from "./lowering/simulate.ts";
import { lowerForWebGpu } from "./lowering/webgpu.ts";
import type { Target } from "./options.ts";
import { assignBits } from "./policy.ts";
import { floatsOf, layerWeights } from "./quantize-layer.ts";
import type { Draft } from "./refinements/refinement.ts";
import { simulateInPlace } from "./refinements/simulate-draft.ts";
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

/**
 * Rewrites a draft's program in place: integers for its target, or float arithmetic that computes the same.
 *
 * @param floatLayers Layers that compute in float although they have an integer form, with the reason.
 */
export function lowerDraft(draft: Draft, floatLayers: ReadonlyMap<Layer, string>): LoweredLayers {
  const { program, weights, plan: activations, grids, settings } = draft;
  const bitsOf = assignBits(settings.policy, draft.layers, settings);
  const lowered = [...weights].map(([layer, quantized]): LoweredLayer => {
    return {
      layer,
      weightBits: quantized.weights.bits,
      weightSqnrDb: sqnrDb(layerWeights(layer), floatsOf(layer, quantized.weights)),
      reason: floatLayers.get(layer) ?? bitsOf.get(layer)!.reason,
    };
  });
  if (settings.simulate) return { ...simulateInPlace(draft), layers: lowered };
  const plan = { program, layers: byNode([...weights.values()]), activations, grids };
  return { ...LOWERINGS[settings.target](plan), layers: lowered };
}

/**
 * Rewrites a prepared program in place, as ACIQ quantizes: grids and bits per channel, in float arithmetic. Rejects with the
 * signal's reason when that is aborted; the program is then unchanged.
 */
export async function simulateLayers(
  program: Program,
  layers: readonly Layer[],
  calibration: ActivationCalibration,
  settings: Settings,
  breathe: () => Promise<void>,
): Promise<LoweredLayers> {
  const bitsOf = assignBits(settings.policy, layers, settings);
  const lowered: LoweredLayer[] = [];
  const simulated: SimulatedWeights[] = [];
  for (const layer of layers) {
    await breathe();
    const { weights: bits, reason } = bitsOf.get(layer)!;
    if (bits === FLOAT_BITS) continue;
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
