/** Means of layers' inputs, where biases make up for what rounding adds to them. */
import type { Layer } from "../../prepare/index.ts";
import { calibrate } from "../calibrate.ts";
import { channelAxisOf } from "../record-shapes.ts";
import type { Draft, RefinementContext } from "./refinement.ts";

/** Returns the mean of each channel of the inputs of those layers whose biases are shifted; runs nothing when there are none. */
export async function inputMeans(
  draft: Draft,
  layers: readonly Layer[],
  { runtime, data, seed, signal }: Pick<RefinementContext, "runtime" | "data" | "seed" | "signal">,
): Promise<Map<Layer, Float64Array>> {
  const shifted = layers.filter((layer) => draft.weights.get(layer)?.biasShift !== undefined);
  const requests = [...new Set(shifted.map(({ input }) => input))].map((value) => {
    return { value, channelAxis: channelAxisOf(value), detail: "inputs", exact: false, positions: 1 } as const;
  });
  const { statistics } = await calibrate(draft.program, requests, data, { runtime, seed, signal });
  return new Map(shifted.map((layer) => [layer, statistics.get(layer.input)!.inputs.means]));
}
