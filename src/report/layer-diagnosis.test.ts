import { expect, test } from "vitest";
import type { ActivationReport, LayerReport, QuantizationReport } from "../quantize/index.ts";
import { adviceFor } from "./advice.ts";
import { activationNoiseOf, calibrationKind, clippedPercent, diagnoseLayers } from "./layer-diagnosis.ts";
import { laplaceHistogram, mobileNetV2Report } from "./mobilenet-v2.cases.ts";

function layer(changes: Partial<LayerReport>): LayerReport {
  return {
    name: "layer",
    operator: "Conv",
    weightBits: 4,
    activationBits: 8,
    sqnrDb: 20,
    weightSqnrDb: 40,
    weightCount: 1000,
    weightShape: [10, 100],
    macs: null,
    kind: "conv",
    note: null,
    activation: null,
    ...changes,
  };
}

function activation(changes: Partial<ActivationReport>): ActivationReport {
  return {
    name: "a",
    side: "two-sided",
    method: "min-max",
    min: -4,
    max: 4,
    clipLow: -4,
    clipHigh: 4,
    predictedMse: null,
    measuredMse: 0.1,
    entropyBits: null,
    histogram: { low: -4, high: 4, counts: Float64Array.of(1, 1, 1, 1) },
    channelBits: null,
    ...changes,
  };
}

function report(layers: readonly LayerReport[], settings: QuantizationReport["settings"] = {}): QuantizationReport {
  const base = mobileNetV2Report();
  return { ...base, layers, settings: { ...base.settings, ...settings } };
}

test("noise of an activation is its error over its power", () => {
  // Bins of width 2 centred at -3, -1, 1, 3, spread evenly inside: mean square (9 + 1 + 1 + 9) / 4 + 2^2 / 12.
  expect(activationNoiseOf(activation({}))).toBeCloseTo(0.1 / (5 + 1 / 3), 12);
});

test("layers are ranked by their own noise, not by the noise that reached them", () => {
  const layers = [
    layer({ name: "late", sqnrDb: 5, weightSqnrDb: 30 }),
    layer({ name: "culprit", sqnrDb: 20, weightSqnrDb: 10 }),
  ];
  const found = diagnoseLayers(report(layers));
  expect(found.map((entry) => entry.layer.name)).toEqual(["culprit", "late"]);
  expect(found[0]).toMatchObject({ number: 2, cause: "weights", weightNoise: 0.1 });
});

test("layers with no more noise than 8 bits have are not named", () => {
  expect(diagnoseLayers(report([layer({ weightSqnrDb: 40 })]))).toEqual([]);
});

test("4-bit weights: advice says what 8 bits cost, with the flags given by the caller", () => {
  const noisy = report([layer({ name: "Conv_1", weightSqnrDb: 12, weightCount: 200_000 })]);
  const found = diagnoseLayers(noisy);
  const advice = adviceFor(noisy, found, (names, bits) => `--layer-bits ${names.join(",")}=${bits}`);
  expect(advice).toEqual([
    {
      text: "8-bit weights for this layer cost 100 kB, 3.4 % of the file.",
      flags: "--layer-bits Conv_1=8",
      layers: [1],
    },
  ]);
  expect(adviceFor(noisy, found)[0]).toMatchObject({ flags: "--weights 8" });
});

test("noisy depthwise kernels are what the deploy policy is for", () => {
  const noisy = [layer({ kind: "depthwise-conv", weightSqnrDb: 10 })];
  expect(diagnoseLayers(report(noisy, { policy: "paper" }))[0]!.remedies).toEqual(["policy"]);
  expect(diagnoseLayers(report(noisy, { policy: "deploy" }))[0]!.remedies).toEqual(["weights-8-bits"]);
});

test("one outlier that takes half of the codes is found, and clipping by error advised", () => {
  const histogram = laplaceHistogram({ b: 0.5, outlier: 40, bins: 2048, count: 40_000 });
  const stretched = activation({ histogram, clipLow: histogram.low, clipHigh: 40, measuredMse: 0.005 });
  const noisy = report([layer({ activation: stretched })], { range: "min-max" });
  const found = diagnoseLayers(noisy);
  expect(found[0]!.finding).toMatch(/^0\.0025 % of the values lie beyond 20\.0 and take half of the codes$/);
  expect(adviceFor(noisy, found)).toMatchObject([{ flags: "--range mse", layers: [1] }]);
});

test("a method is not advised to who uses it already", () => {
  const histogram = laplaceHistogram({ b: 0.5, outlier: 40, bins: 2048, count: 40_000 });
  const stretched = activation({ histogram, clipLow: histogram.low, clipHigh: 40, measuredMse: 0.005 });
  expect(diagnoseLayers(report([layer({ activation: stretched })], { range: "mse" }))[0]!.remedies).toEqual([]);
});

test("a clip that cuts much is said to, with the share", () => {
  const tight = activation({ clipLow: -2, clipHigh: 2, measuredMse: 0.5 });
  expect(clippedPercent(tight)).toBe(50);
  const found = diagnoseLayers(report([layer({ activation: tight })]));
  expect(found[0]).toMatchObject({ cause: "activation", finding: "the clip cuts 50.0 % of the values" });
});

test("below a one-sided clip nothing is cut: the ReLU sets it to zero", () => {
  expect(clippedPercent(activation({ side: "one-sided", clipLow: 0 }))).toBe(0);
});

test("an error far above the prediction is a wrong assumption on the distribution", () => {
  const wrong = activation({ predictedMse: 0.02, measuredMse: 0.1 });
  expect(diagnoseLayers(report([layer({ activation: wrong })]))[0]!.finding).toBe(
    "error 5.00 times what min-max predicts",
  );
});

test("ranges from few or made-up samples ask for calibration", () => {
  const poor = {
    ...report([layer({ activation: activation({}) })]),
    calibration: { source: "x", samples: 4, batches: 1 },
  };
  expect(diagnoseLayers(poor)[0]!.remedies).toContain("calibrate");
});

test.each([
  ["pictures/, 64 pictures", "data"],
  ["photos of synthetic fabrics/", "data"],
  ["synthetic input (seeded noise)", "synthetic"],
  ["data-free: batch-norm statistics for 52 tensors, synthetic input (seeded noise) for the rest", "data-free"],
])("calibration on %j is of the kind %s", (source, kind) => {
  expect(calibrationKind(mobileNetV2Report({ calibration: { source, samples: 64, batches: 8 } }))).toBe(kind);
});
