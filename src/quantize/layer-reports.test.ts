import { describe, expect, it } from "vitest";
import { constantValue } from "../program/index.ts";
import { zeros } from "../tensor/index.ts";
import { histogramTotal } from "./histogram.ts";
import type { QuantizeOptions } from "./options.ts";
import { quantize } from "./quantize.ts";
import type { LayerReport } from "./report-data.ts";
import { dataOf, programOf, randomFeeds, runtime, weights } from "./small-models.cases.ts";

/** A convolution with ReLU, one after a sigmoid, a product of activations, and a table that is an output too. */
async function reportsOf(options: Partial<QuantizeOptions> = {}): Promise<Record<string, LayerReport>> {
  const program = programOf({ x: ["batch", 4, 8, 8] }, (e, { x }) => {
    const first = e.emit("Conv", [x!, weights("a", [6, 4, 3, 3], 0.3)], { name: "first", output: "c" });
    const bounded = e.emit("Relu", [first], { output: "r" });
    const second = e.emit("Conv", [bounded, weights("b", [8, 6, 3, 3], 0.3)], { name: "second", output: "d" });
    const gate = e.emit("Sigmoid", [second], { output: "s" });
    const third = e.emit("Conv", [gate, constantValue("zero", zeros("float32", [3, 8, 1, 1]))], {
      name: "third",
      output: "t",
    });
    return [third, e.emit("MatMul", [third, third], { name: "square" })];
  });
  const calibration = dataOf([1, 2].map((seed) => randomFeeds(program, seed, { lengths: { batch: 2 } })));
  const settings = { policy: "uniform", range: "aciq-laplace", weights: 4, calibration, ...options } as const;
  const { report } = await quantize(program, { runtime, ...settings });
  return Object.fromEntries(report.layers.map((layer) => [layer.name, layer]));
}

describe("layerReports", () => {
  it("tells a layer's bits, size, work and errors", async () => {
    const { first } = await reportsOf();
    expect(first).toMatchObject({
      operator: "Conv",
      kind: "conv",
      weightBits: 4,
      activationBits: 8,
      weightCount: 216,
      weightShape: [6, 4, 3, 3],
      // 6 x 4 x 9 products at each of 36 places.
      macs: 6 * 4 * 9 * 36,
      note: null,
    });
    expect(first!.weightSqnrDb).toBeGreaterThan(15);
    expect(first!.weightSqnrDb).toBeLessThan(26);
    expect(first!.sqnrDb).toBeGreaterThan(15);
  });

  it("tells the range of an activation, what the model of it predicts and what the histogram shows", async () => {
    const { activation } = (await reportsOf()).first!;
    expect(activation).toMatchObject({
      name: "r",
      side: "one-sided",
      method: "aciq-laplace",
      clipLow: 0,
      channelBits: null,
    });
    expect(activation!.min).toBeLessThan(0);
    expect(activation!.clipHigh).toBeLessThanOrEqual(activation!.max);
    expect(histogramTotal(activation!.histogram!)).toBe(2 * 2 * 6 * 36);
    // Convolutions of normal numbers are not Laplacian: the same order of magnitude is what can be asked for.
    expect(activation!.measuredMse! / activation!.predictedMse!).toBeGreaterThan(0.1);
    expect(activation!.measuredMse! / activation!.predictedMse!).toBeLessThan(10);
    expect(activation!.entropyBits).toBeGreaterThan(2);
    expect(activation!.entropyBits).toBeLessThan(8);
  });

  it("describes what is stored after an activation function that stays", async () => {
    const { second } = await reportsOf();
    expect(second!.activation!.name).toBe("d");
    expect(second!.activation!.side).toBe("two-sided");
  });

  it("tells bits per channel where they are allocated, and their mean", async () => {
    const { second } = await reportsOf({ simulate: true, activations: 4, range: "aciq-mix" });
    const { channelBits } = second!.activation!;
    expect(channelBits).toHaveLength(8);
    expect(second!.activationBits).toBeCloseTo(channelBits!.reduce((a, b) => a + b, 0) / 8, 12);
    expect(Math.abs(second!.activationBits - 4)).toBeLessThan(0.5);
  });

  it("says why a layer stays in float, and that weights without an error have none", async () => {
    const { square, third } = await reportsOf();
    expect(square).toMatchObject({
      weightBits: 32,
      activationBits: 32,
      weightCount: 0,
      weightShape: [],
      weightSqnrDb: null,
      sqnrDb: null,
      activation: null,
    });
    expect(square!.note).toMatch(/^left in float: it has no constant weights/);
    expect(third).toMatchObject({ weightSqnrDb: Number.POSITIVE_INFINITY, sqnrDb: null });
  });
});
