import { beforeAll, describe, expect, it } from "vitest";
import { modelSizeBytes } from "../../src/onnx/index.ts";
import { type CalibrationData, type QuantizeOptions, type QuantizeResult, quantize } from "../../src/quantize/index.ts";
import { nodeRuntime } from "../../src/runtime/node.ts";
import {
  accuracyOf,
  classesOf,
  type ExamplePictures,
  exampleBytes,
  exampleCalibration,
  examplePictures,
} from "./example.ts";

const runtime = await nodeRuntime({ threads: 1 });
const wasm = await nodeRuntime({ device: "wasm", threads: 1 });

/** Min-max ranges per tensor and nothing else. */
const PLAIN = {
  simulate: true,
  range: "min-max",
  granularity: "tensor",
  weightAllocation: "none",
  activationAllocation: "none",
  correction: "none",
  weightRange: "min-max",
} as const satisfies Partial<QuantizeOptions>;

describe("the embedded example", () => {
  let pictures: ExamplePictures;
  let calibration: CalibrationData;
  let float: { readonly classes: number[]; readonly accuracy: number };

  beforeAll(async () => {
    pictures = await examplePictures();
    calibration = await exampleCalibration();
    const classes = await classesOf({ bytes: exampleBytes, external: [] }, pictures, runtime);
    float = { classes, accuracy: accuracyOf(classes, pictures) };
  });

  const quantized = (options: Partial<QuantizeOptions>): Promise<QuantizeResult> =>
    quantize(exampleBytes, { runtime, calibration, ...options });

  const accuracy = async (options: Partial<QuantizeOptions>): Promise<number> => {
    const { model } = await quantized(options);
    return accuracyOf(
      await classesOf(model, pictures, runtime, { keepQuantization: options.simulate ?? false }),
      pictures,
    );
  };

  it("has the accuracy its README says", () => {
    expect(float.accuracy).toBe(92);
  });

  // The standard error on 500 pictures is 1.2 points, that of the difference between two models that agree on 97 % about 0.7.
  it.each([
    { weights: 8, activations: 8, target: "cpu", points: 1, share: 0.4 },
    { weights: 4, activations: 8, target: "cpu", points: 2.5, share: 0.3 },
    { weights: 8, activations: 8, target: "portable", points: 1, share: 0.4 },
    { weights: 4, activations: 8, target: "portable", points: 2.5, share: 0.3 },
    { weights: 4, activations: 16, target: "webgpu", points: 2.5, share: 0.3 },
  ] as const)(
    "keeps W$weights A$activations for $target within $points points, at $share of the size",
    async (setting) => {
      const { points, share, ...options } = setting;
      const { model, report } = await quantized(options);
      const classes = await classesOf(model, pictures, runtime);
      expect(accuracyOf(classes, pictures)).toBeGreaterThan(float.accuracy - points);
      expect(modelSizeBytes(model)).toBeLessThan(share * exampleBytes.byteLength);
      expect(report.layers.every(({ sqnrDb }) => sqnrDb! > 12)).toBe(true);
      if (options.target !== "cpu") return;
      // The same decisions in WASM: its integer kernels round alike, sums of floats may differ in the last digit.
      const inWasm = await classesOf(model, { ...pictures, batches: pictures.batches.slice(0, 4) }, wasm);
      expect(inWasm).toHaveLength(200);
      expect(inWasm.filter((best, i) => best !== classes[i]).length).toBeLessThanOrEqual(1);
    },
  );

  describe("in simulation", () => {
    // Differences to see are tens of points; the standard error at 80 % is 1.8.
    it("loses most to 2-bit activations with min-max, gets most back by clipping, and a little more by allocation", async () => {
      const minMax = await accuracy({ ...PLAIN, weights: 16, activations: 2 });
      const clipped = await accuracy({ ...PLAIN, weights: 16, activations: 2, range: "aciq-mix" });
      const all = await accuracy({ simulate: true, weights: 16, activations: 2 });
      expect(clipped).toBeGreaterThan(minMax + 20);
      expect(all).toBeGreaterThan(clipped - 2);
    });

    it("gets back by bias correction what 2-bit weights lose", async () => {
      const minMax = await accuracy({ ...PLAIN, weights: 2, activations: 8 });
      const corrected = await accuracy({ ...PLAIN, weights: 2, activations: 8, correction: "mean" });
      const both = await accuracy({
        ...PLAIN,
        weights: 2,
        activations: 8,
        correction: "mean",
        weightAllocation: "bits-optimal",
      });
      expect(corrected).toBeGreaterThan(minMax + 4);
      expect(both).toBeGreaterThan(corrected - 2);
    });

    it("keeps W3A3 with all of it within 3 points, of which min-max loses more", async () => {
      const all = await accuracy({ simulate: true, weights: 3, activations: 3 });
      expect(all).toBeGreaterThan(float.accuracy - 3);
      expect(await accuracy({ ...PLAIN, weights: 3, activations: 3 })).toBeLessThan(all - 2);
    });
  });
});
