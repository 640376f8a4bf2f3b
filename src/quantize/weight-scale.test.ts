import { describe, expect, it } from "vitest";
import { symmetricGrid } from "./grid.ts";
import { fakeQuantizePerChannel } from "./quantize-values.ts";
import { laplaceSamples, meanSquaredError } from "./samples.cases.ts";
import { weightGrids } from "./weight-scale.ts";

const weights = laplaceSamples(6000, 1);
const shape = [3, 2000];

describe("weightGrids", () => {
  it("spans the largest magnitude of each channel, without clipping", () => {
    const grids = weightGrids(weights, { shape, bits: 4 });
    grids.forEach((grid, c) => {
      const largest = weights.slice(c * 2000, (c + 1) * 2000).reduce((most, x) => Math.max(most, Math.abs(x)), 0);
      expect(grid).toEqual(symmetricGrid(largest, 4));
    });
  });

  it("finds a clip that no other of a fine search beats by more than 2 %", () => {
    for (const bits of [2, 3, 4, 8]) {
      const [first] = weightGrids(weights.slice(0, 2000), { shape: [1, 2000], bits, clip: "mse" });
      const channel = weights.slice(0, 2000);
      const largest = channel.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
      const errorOf = (grid: ReturnType<typeof symmetricGrid>): number =>
        meanSquaredError(channel, fakeQuantizePerChannel(channel, [grid], { shape: [1, 2000] }));
      let least = Number.POSITIVE_INFINITY;
      for (let clip = 0.3; clip <= 1; clip += 0.001)
        least = Math.min(least, errorOf(symmetricGrid(largest * clip, bits)));
      expect(errorOf(first!), `${bits} bits`).toBeLessThan(1.02 * least);
    }
  });

  it("lowers the error of heavy-tailed weights at 4 bits several times", () => {
    const where = { shape, axis: 0 };
    const error = (clip: "max" | "mse"): number =>
      meanSquaredError(
        weights,
        fakeQuantizePerChannel(weights, weightGrids(weights, { ...where, bits: 4, clip }), where),
      );
    expect(error("mse")).toBeLessThan(0.6 * error("max"));
  });

  it("treats channels of any axis alike", () => {
    const transposed = new Float32Array(6000);
    weights.forEach((x, i) => {
      transposed[(i % 2000) * 3 + Math.floor(i / 2000)] = x;
    });
    const options = { bits: 4, clip: "mse" } as const;
    expect(weightGrids(transposed, { ...options, shape: [2000, 3], axis: 1 })).toEqual(
      weightGrids(weights, { ...options, shape }),
    );
  });

  it("takes channels of zeros", () => {
    const zeros = new Float32Array(8);
    const where = { shape: [2, 4] };
    const grids = weightGrids(zeros, { ...where, bits: 4, clip: "mse" });
    expect(fakeQuantizePerChannel(zeros, grids, where)).toEqual(zeros);
  });

  it("refuses weights that are not finite", () => {
    const broken = new Float32Array([1, 2, Number.NaN, 4]);
    expect(() => weightGrids(broken, { shape: [2, 2], bits: 4 })).toThrow(
      "weightGrids: weights must be finite, got NaN in channel 1.",
    );
  });
});
