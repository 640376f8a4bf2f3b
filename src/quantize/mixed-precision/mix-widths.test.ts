import { describe, expect, it } from "vitest";
import { OptionError, UnsupportedError } from "../../errors.ts";
import { modelSizeBytes, writeModel } from "../../onnx/index.ts";
import type { Program } from "../../program/index.ts";
import type { QuantizeOptions } from "../options.ts";
import { quantize } from "../quantize.ts";
import { dataOf, programOf, randomFeeds, runtime, weights } from "../small-models.cases.ts";

/** Three convolutions of different sensitivity: the middle one reaches the output through a factor of a thousandth. */
function unevenModel(): Program {
  return programOf({ x: [1, 8, 8, 8] }, (e, { x }) => {
    const conv = (input: typeof x, name: string, scale: number) =>
      e.emit("Conv", [input, weights(name, [32, input === x ? 8 : 32, 3, 3], scale)], {
        name,
        attributes: { pads: [1, 1, 1, 1] },
      });
    const first = e.emit("Relu", [conv(x!, "first", 0.1)]);
    const quiet = conv(first, "quiet", 1e-4);
    const loud = conv(first, "loud", 0.1);
    return [e.emit("Add", [quiet, loud], { output: "y" })];
  });
}

const program = unevenModel();
const calibration = dataOf(Array.from({ length: 4 }, (_, i) => randomFeeds(program, i + 1)));
const quantized = (options: Partial<QuantizeOptions>) => quantize(unevenModel(), { runtime, calibration, ...options });
const bitsOf = ({ report }: Awaited<ReturnType<typeof quantized>>) =>
  Object.fromEntries(report.layers.map(({ name, weightBits }) => [name, weightBits]));

describe("limits of size", () => {
  it("are kept by the file, and bits go where they matter", async () => {
    const sizeBytes = 16_000;
    const result = await quantized({ limits: { sizeBytes } });
    expect(modelSizeBytes(result.model)).toBeLessThanOrEqual(sizeBytes);
    expect(modelSizeBytes(result.model)).toBeGreaterThan(0.9 * sizeBytes);
    const { first, quiet, loud } = bitsOf(result);
    expect(quiet).toBeLessThanOrEqual(3);
    expect(loud).toBeGreaterThan(4);
    expect(first).toBeGreaterThan(4);
    const { mixedPrecision } = result.report;
    expect(mixedPrecision).toMatchObject({ limits: { sizeBytes, latencyMs: null, maxDrop: null }, samples: 4 });
    expect(mixedPrecision!.errorMeasure).toBe("relative squared error of outputs");
    expect(mixedPrecision!.layers.map(({ names, bits }) => [names, bits])).toEqual([
      [["first"], first],
      [["quiet"], quiet],
      [["loud"], loud],
    ]);
  });

  it("leave layers in float where there is room for all of them", async () => {
    const sizeBytes = 1_000_000;
    const result = await quantized({ limits: { sizeBytes } });
    expect(Object.values(bitsOf(result))).toEqual([32, 32, 32]);
  });

  it("leave bits alone that are stated, and those that a named policy keeps", async () => {
    const stated = await quantized({ limits: { sizeBytes: 18_000 }, layerBits: { quiet: { weights: 6 } } });
    expect(bitsOf(stated).quiet).toBe(6);
    const kept = await quantized({ limits: { sizeBytes: 18_000 }, policy: "paper" });
    expect(bitsOf(kept).first).toBeGreaterThanOrEqual(8);
  });

  it("are refused with the smallest there is when no widths keep them", async () => {
    const refused = quantized({ limits: { sizeBytes: 3000 } });
    await expect(refused).rejects.toThrow(OptionError);
    await expect(refused).rejects.toThrow(/got 3000 bytes: of all widths of its layers the smallest has \d+ bytes/);
  });
});

describe("limits of drop", () => {
  const classifier = () =>
    programOf({ x: [1, 16] }, (e, { x }) => {
      const hidden = e.emit("Relu", [e.emit("Gemm", [x, weights("w1", [16, 64])], { name: "hidden" })]);
      return [e.emit("Gemm", [hidden, weights("w2", [64, 10])], { name: "scores", output: "y" })];
    });
  const model = classifier();
  const samples = (count: number) => dataOf(Array.from({ length: count }, (_, i) => randomFeeds(model, i + 1)));

  it("give the smallest file within, by a measure of the caller's", async () => {
    const program = unevenModel();
    const float = modelSizeBytes(writeModel(program));
    const drop = {
      name: "bytes saved, in percent",
      measure: async (file: Parameters<typeof modelSizeBytes>[0]) => 100 * (1 - modelSizeBytes(file) / float),
    };
    const { report } = await quantized({ limits: { maxDrop: 80, drop } });
    const { trials, dropMeasure } = report.mixedPrecision!;
    expect(dropMeasure).toBe(drop.name);
    const kept = trials.find((trial) => trial.kept)!;
    expect(kept.drop).toBeLessThanOrEqual(80);
    expect(kept.drop).toBeGreaterThan(77);
    expect(report.output.sizeBytes).toBe(kept.sizeBytes);
  });

  it("are those of agreement with the float model on samples kept apart, without another measure", async () => {
    const options = { runtime, calibration: samples(240), limits: { maxDrop: 10 } };
    const { report } = await quantize(classifier(), options);
    const { dropMeasure, trials } = report.mixedPrecision!;
    expect(dropMeasure).toBe("agreement with the float model");
    expect(report.mixedPrecision!.errorMeasure).toBe("relative squared error of class scores");
    const kept = trials.find((trial) => trial.kept)!;
    expect(kept.drop).toBeLessThanOrEqual(10);
    const smaller = trials.filter(({ sizeBytes }) => sizeBytes < kept.sizeBytes);
    expect(smaller.every((trial) => trial.drop! > 10)).toBe(true);
  });

  it("need classes, and enough samples", async () => {
    await expect(quantized({ limits: { maxDrop: 1 } })).rejects.toThrow(/maxDrop needs a model that gives scores/);
    const few = { runtime, calibration: samples(4), limits: { maxDrop: 1 } };
    await expect(quantize(classifier(), few)).rejects.toThrow(/maxDrop needs at least 20 samples .* got 4/);
  });
});

describe("limits of latency", () => {
  it("are refused with the fastest there is when nothing is that fast", async () => {
    await expect(quantized({ limits: { latencyMs: 1e-6 } })).rejects.toThrow(
      /got 0.000001 ms: .* the fastest takes .* ms/,
    );
  });

  it("are kept, and each layer's two times are in the report", async () => {
    const { report } = await quantized({ limits: { latencyMs: 10_000, sizeBytes: 20_000 } });
    const { layers, trials } = report.mixedPrecision!;
    expect(trials.find(({ kept }) => kept)!.latencyMs).toBeLessThan(10_000);
    for (const { widths } of layers) {
      const integers = new Set(widths.filter(({ bits }) => bits < 16).map(({ latencyMs }) => latencyMs));
      expect(integers.size).toBe(1);
      expect(widths.every(({ latencyMs }) => latencyMs! >= 0)).toBe(true);
    }
  });
});

describe("limits", () => {
  it.each<[Partial<QuantizeOptions>, RegExp]>([
    [{ limits: {} }, /limits must have sizeBytes, latencyMs or maxDrop/],
    [{ limits: { sizeBytes: 0 } }, /sizeBytes of limits must be a number above zero, got 0/],
    [{ limits: { latencyMs: Number.NaN } }, /latencyMs of limits .* got NaN/],
    [{ limits: { sizeBytes: 1e6 }, weights: 4 }, /weights must be left out with limits/],
    [{ limits: { sizeBytes: 1e6 }, simulate: true }, /limits must be those of a model that can be deployed/],
  ])("%j are refused", async (options, message) => {
    await expect(quantized(options)).rejects.toThrow(message);
  });

  it("need a model that can be run", async () => {
    const foreign = programOf({ x: [1, 8] }, (e, { x }) => {
      const own = e.emit("Unheard", [x], { domain: "somebody" });
      return [e.emit("MatMul", [own, weights("w", [8, 8])], { output: "y" })];
    });
    foreign.opsets.set("somebody", 1);
    await expect(quantize(foreign, { runtime, limits: { sizeBytes: 1e6 } })).rejects.toThrow(UnsupportedError);
  });
});

describe("layerBits", () => {
  it("set the bits of single layers over the policy's, and of their activations in simulations", async () => {
    const result = await quantized({ weights: 4, layerBits: { first: { weights: 3 }, loud: { weights: 16 } } });
    expect(bitsOf(result)).toEqual({ first: 3, quiet: 4, loud: 32 });
    const simulated = await quantized({
      weights: 4,
      activations: 4,
      simulate: true,
      policy: "uniform",
      weightAllocation: "none",
      layerBits: { loud: { weights: 5, activations: 6 } },
    });
    const loud = simulated.report.layers.find(({ name }) => name === "loud")!;
    expect([loud.weightBits, loud.activationBits]).toEqual([5, 6]);
  });

  it.each<[NonNullable<QuantizeOptions["layerBits"]>, RegExp]>([
    [{ second: { weights: 4 } }, /layerBits must name layers of the model \(first, quiet, loud\), got "second"/],
    [{ first: { weights: 1 } }, /layerBits of "first", weights, must be an integer from 2 to 8/],
    [{ first: { activations: 4 } }, /must be simulated/],
  ])("%j are refused", async (layerBits, message) => {
    await expect(quantized({ layerBits })).rejects.toThrow(message);
  });
});
