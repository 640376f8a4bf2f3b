/** Every layer's weights as integers: what a draft starts from. */
import type { Layer } from "../prepare/index.ts";
import type { Value } from "../program/index.ts";
import { canUseBlocks, haveSameRows } from "./block-layer.ts";
import type { ActivationCalibration } from "./calibrate-activations.ts";
import type { ActivationGrid, Grid } from "./grid.ts";
import type { QuantizedLayer } from "./lowering/plan.ts";
import { assignBits } from "./policy.ts";
import { quantizeLayer } from "./quantize-layer.ts";
import { FLOAT_BITS, type Settings } from "./settings.ts";

/** What rounding needs to know of activations. */
export interface RoundingInputs extends Pick<ActivationCalibration, "floatLayers" | "inputMoments"> {
  readonly grids: ReadonlyMap<Value, ActivationGrid>;
  readonly breathe: () => Promise<void>;
}

/** Rounds the weights of every layer to the nearest integers, corrected as the settings say. Empty when they stay in float. */
export async function roundLayers(
  layers: readonly Layer[],
  settings: Settings,
  { grids, floatLayers, inputMoments, breathe }: RoundingInputs,
): Promise<Map<Layer, QuantizedLayer>> {
  const bitsOf = assignBits(settings.policy, layers, settings);
  const rounded = new Map<Layer, QuantizedLayer>();
  const byWeight = new Map<Value, QuantizedLayer>();
  for (const layer of layers) {
    await breathe();
    const bits = bitsOf.get(layer)!.weights;
    if (bits === FLOAT_BITS) continue;
    const inputGrid = floatLayers.has(layer) ? undefined : grids.get(layer.input);
    const { quantized } = quantizeLayer(layer, {
      bits,
      granularity: granularityOf(layer, settings, inputGrid),
      blockSize: settings.blockSize,
      blockGrid: settings.blockGrid,
      clip: settings.weightRange === "mse" && bits <= 4 ? "mse" : "max",
      correction: settings.correction,
      inputMoments: inputMoments.get(layer.input),
      inputGrid: settings.target === "webgpu" ? undefined : finestGrid(inputGrid),
      sameWeights: byWeight.get(layer.weight) ?? tiedTo(layer, [...rounded.values()]),
    });
    byWeight.set(layer.weight, quantized);
    rounded.set(layer, quantized);
  }
  return rounded;
}

/** The layer with the same matrix in blocks where exactly one of both is an embedding. */
function tiedTo(layer: Layer, others: readonly QuantizedLayer[]): QuantizedLayer | undefined {
  return others.find(
    ({ layer: other, weights }) =>
      weights.granularity === "block" &&
      (layer.kind === "embedding") !== (other.kind === "embedding") &&
      haveSameRows(layer, other),
  );
}

/** The grid of the input channel with the smallest scale: what has room for a bias there has it in all. */
function finestGrid(grid: ActivationGrid | undefined): Grid | undefined {
  if (!grid?.channelScales) return grid;
  return { ...grid, scale: grid.scale * grid.channelScales.reduce((least, scale) => Math.min(least, scale)) };
}

/** Blocks where an operator takes them and the products are not integer products anyway. */
function granularityOf(
  layer: Layer,
  { target, blockSize }: Settings,
  inputGrid: Grid | undefined,
): "channel" | "block" {
  if (target === "portable" || !canUseBlocks(layer, blockSize)) return "channel";
  return inputGrid && layer.kind !== "embedding" ? "channel" : "block";
}
