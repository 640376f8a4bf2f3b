import { describe, expect, it } from "vitest";
import { findLayers, type Layer } from "../prepare/index.ts";
import type { Value } from "../program/index.ts";
import { channelLayout, gatherChannel } from "./channel-layout.ts";
import type { Allocation, Correction } from "./options.ts";
import { layerWeights } from "./quantize-layer.ts";
import { type SimulatedWeights, simulateLayer } from "./simulate-layer.ts";
import { normals, numbers, programOf, sqnrDb } from "./small-models.cases.ts";
import { statisticsOf } from "./statistics.ts";

/** A convolution of 8 output channels, each twice as wide as the one before, and off zero by its own sigma. */
function widening(operator = "Conv", shape = [8, 4, 3, 3], axis = 0): Layer {
  const layout = channelLayout(shape, axis);
  const values = normals(
    1,
    shape.reduce((a, b) => a * b, 1),
  ).map((x, at) => (x + 1) * 2 ** -(Math.floor(at / layout.inner) % layout.channels));
  const weight = (): Value => numbers("w", shape, [...values]);
  const program = programOf(
    { x: [1, operator === "MatMul" ? 2 : 4, 9, operator === "MatMul" ? shape[0]! : 9] },
    (e, { x }) => [e.emit(operator, [x!, weight()])],
  );
  return findLayers(program)[0]!;
}

function channelsOf(values: Float32Array, { weight, outputChannelAxis }: Layer): Float32Array[] {
  const layout = channelLayout(weight.constant!.shape, outputChannelAxis);
  return Array.from({ length: layout.channels }, (_, c) =>
    gatherChannel(values, layout, c, new Float32Array(layout.outer * layout.inner)),
  );
}

function simulate(
  layer: Layer,
  bits: number,
  allocation: Allocation = "none",
  correction: Correction = "none",
): SimulatedWeights {
  return simulateLayer(layer, { bits, allocation, correction, clip: "max" });
}

const LAYERS = [
  ["Conv", widening()],
  ["ConvTranspose", widening("ConvTranspose", [4, 8, 3, 3], 1)],
  ["MatMul", widening("MatMul", [30, 8], 1)],
] as const;

describe.each(LAYERS)("simulateLayer of a %s", (_, layer) => {
  const values = layerWeights(layer);

  it("gives each channel 2^bits levels over its own range, and float weights their SQNR", () => {
    const { floats, meanBits } = simulate(layer, 4);
    expect(meanBits).toBe(4);
    for (const channel of channelsOf(floats, layer)) expect(new Set(channel).size).toBeLessThanOrEqual(16);
    // A uniform grid over the range of n normal numbers: 6 b + 10.8 - 20 log10(range / sigma), range about 5 sigma.
    expect(sqnrDb(values, floats)).toBeGreaterThan(18);
    expect(sqnrDb(values, simulate(layer, 8).floats)).toBeGreaterThan(42);
  });

  it("gives wide channels more bits, the mean staying as asked", () => {
    for (const allocation of ["fixed-target", "bits-optimal"] as const) {
      const { floats, meanBits } = simulate(layer, 4, allocation);
      expect(Math.abs(meanBits - 4)).toBeLessThanOrEqual(1 / 8);
      const levels = channelsOf(floats, layer).map((channel) => new Set(channel).size);
      expect(levels[0]).toBeGreaterThan(16);
      expect(levels.at(-1)).toBeLessThan(16);
      expect(sqnrDb(values, floats)).toBeGreaterThan(sqnrDb(values, simulate(layer, 4).floats) + 1);
    }
  });

  it("shares bits up to 4 bits only", () => {
    expect(simulate(layer, 5, "bits-optimal").floats).toEqual(simulate(layer, 5).floats);
  });

  it.each(["mean", "mean-variance"] as const)("with correction %s has the original's moments", (correction) => {
    const { floats } = simulate(layer, 3, "bits-optimal", correction);
    const original = channelsOf(values, layer).map((channel) => statisticsOf(channel));
    channelsOf(floats, layer).forEach((channel, c) => {
      const { mean, standardDeviation } = statisticsOf(channel);
      // The specification's 1e-6 of sigma; float32 weights round to 6e-8 of themselves, the mean of many to less.
      expect(Math.abs(mean - original[c]!.mean)).toBeLessThan(1e-6 * original[c]!.standardDeviation);
      const ratio = standardDeviation / original[c]!.standardDeviation;
      if (correction === "mean-variance" && standardDeviation > 0) expect(Math.abs(ratio - 1)).toBeLessThan(1e-5);
    });
  });

  it("keeps a channel without bits at its mean", () => {
    const { floats } = simulate(layer, 1, "bits-optimal");
    const last = channelsOf(floats, layer).at(-1)!;
    expect(new Set(last).size).toBe(1);
    expect(last[0]).toBeCloseTo(statisticsOf(channelsOf(values, layer).at(-1)!).mean, 6);
  });
});

it("clips symmetric grids for the least squared error when asked to", () => {
  const layer = widening();
  const values = layerWeights(layer);
  const options = { bits: 3, allocation: "none", correction: "none" } as const;
  const clipped = simulateLayer(layer, { ...options, clip: "mse" });
  expect(clipped.meanBits).toBe(3);
  // Symmetric grids waste levels on weights off zero, so this is no contest with affine ones; it must be sane.
  expect(sqnrDb(values, clipped.floats)).toBeGreaterThan(10);
});
