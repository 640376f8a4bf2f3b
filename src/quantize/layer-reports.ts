/** What the report says about each layer. */
import type { MacCounts } from "../ops/index.ts";
import type { Layer } from "../prepare/index.ts";
import { constantSize, type Node } from "../program/index.ts";
import type { ActivationCalibration } from "./calibrate-activations.ts";
import type { ActivationChoice } from "./choose-grids.ts";
import { measuredEntropy } from "./entropy.ts";
import type { LoweredLayer } from "./lower-layers.ts";
import { measuredMse } from "./measured-error.ts";
import type { ActivationReport, LayerReport } from "./report-data.ts";

/** Bits a report gives for what stays in float. */
const FLOAT = 32;

/** What was measured and counted. */
export interface LayerMeasurements {
  /** SQNR at each lowered layer's output, dB. */
  readonly sqnr: ReadonlyMap<Node, number | null>;
  readonly macs: MacCounts;
}

/** Returns one report per layer of the prepared program, in execution order; those left in float say why. */
export function layerReports(
  layers: readonly Layer[],
  lowered: readonly LoweredLayer[],
  calibration: ActivationCalibration,
  { sqnr, macs }: LayerMeasurements,
): LayerReport[] {
  const byNode = new Map(lowered.map((entry) => [entry.layer, entry]));
  return layers.map((layer): LayerReport => {
    const entry = byNode.get(layer);
    const choice = choiceOf(layer, calibration);
    const constant = layer.weight.constant;
    return {
      name: layer.node.name || layer.output.name,
      operator: layer.node.operator,
      kind: layer.kind,
      weightBits: entry?.weightBits ?? FLOAT,
      activationBits: choice ? meanBits(choice) : FLOAT,
      sqnrDb: sqnr.get(layer.node) ?? null,
      weightSqnrDb: entry?.weightSqnrDb ?? null,
      weightCount: constant ? constantSize(constant) : 0,
      weightShape: constant?.shape ?? [],
      macs: macs.byNode.get(layer.node) ?? null,
      note: layer.reason === undefined ? (entry?.reason ?? null) : `left in float: ${layer.reason}`,
      activation: choice ? activationReport(choice) : null,
    };
  });
}

/** How a layer's result is stored: as its own request says, else as what reads it wants it. */
function choiceOf(layer: Layer, { choices }: ActivationCalibration): ActivationChoice | undefined {
  const found = [choices.get(layer.result), choices.get(layer.output)];
  return found.find((choice) => choice?.request.role === "layer") ?? found[0] ?? found[1];
}

function meanBits({ bits, channelGrids }: ActivationChoice): number {
  return channelGrids ? channelGrids.reduce((sum, grid) => sum + grid.bits, 0) / channelGrids.length : bits;
}

function activationReport(choice: ActivationChoice): ActivationReport {
  const { request, statistics, method, range, grid, channelGrids, rangeRequest } = choice;
  const { histogram } = statistics;
  return {
    name: request.value.name,
    side: request.side,
    method: method.name,
    min: statistics.min,
    max: statistics.max,
    clipLow: range.low,
    clipHigh: range.high,
    predictedMse: method.predictedMse?.(statistics, range, rangeRequest) ?? null,
    measuredMse: histogram ? measuredMse(histogram, grid, rangeRequest) : null,
    entropyBits: histogram ? measuredEntropy(histogram, grid, rangeRequest) : null,
    histogram: histogram ?? null,
    channelBits: channelGrids?.map(({ bits }) => bits) ?? null,
  };
}
