import { expect, test } from "vitest";
import { mobileNetV2Evaluations, mobileNetV2Report } from "./mobilenet-v2.cases.ts";
import { differenceError, evaluationPair, verdict } from "./verdict.ts";

const [reference, quantized] = mobileNetV2Evaluations() as [
  ReturnType<typeof mobileNetV2Evaluations>[0],
  ReturnType<typeof mobileNetV2Evaluations>[0],
];

test("with labels: accuracy before and after with the error of the difference, bytes, latency", () => {
  const { headline, tone, text } = verdict(mobileNetV2Report(), [reference, quantized]);
  expect({ headline, tone }).toEqual({ headline: "Some accuracy lost", tone: "caution" });
  expect(text).toBe(
    "14.0 MB became 2.98 MB (0.214 ×). Top-1 accuracy went from 82.2 % to 77.4 % (−4.8 ± 1.6 points) on 500 samples. " +
      "One sample takes 4.41 ms instead of 9.84 ms (0.45 ×).",
  );
});

test("the difference is paired: models that agree everywhere differ by nothing, whatever the sample", () => {
  const pair = { reference, quantized: { ...quantized, agreement: 100 } };
  expect(differenceError(pair)).toBe(0);
  // sqrt(0.128 / 500) of a point share, below hypot(1.71, 1.87).
  expect(differenceError({ reference, quantized })).toBeCloseTo(1.6, 12);
  expect(differenceError({ reference, quantized: { ...quantized, agreement: null } })).toBeCloseTo(2.534, 3);
});

test("without labels: agreement, and a warning that accuracy is not known", () => {
  const unlabelled = { top1: null, top5: null, top1StandardError: null };
  const { text, tone } = verdict(mobileNetV2Report(), [
    { ...reference, ...unlabelled },
    { ...quantized, ...unlabelled },
  ]);
  expect(tone).toBe("bad");
  expect(text).toContain("on 87.2 % of 500 samples; without labels its accuracy is not known");
});

test("models without classes: signal to noise of the outputs", () => {
  const other = { top1: null, top5: null, top1StandardError: null, agreement: null };
  const { text } = verdict(mobileNetV2Report(), [
    { ...reference, ...other },
    { ...quantized, ...other, outputSqnrDb: 31.2 },
  ]);
  expect(text).toContain("signal-to-noise ratio of 31.2 dB");
});

test("nothing evaluated: the last layer measured", () => {
  const { text, numbers } = verdict(mobileNetV2Report());
  expect(text).toMatch(/After the last layer the signal-to-noise ratio is [\d.]+ dB on the calibration data/);
  expect(numbers.map(({ label }) => label)).toEqual(["File size", "SQNR after the last layer"]);
});

test("a simulation claims no size and no speed", () => {
  const { text, numbers } = verdict(mobileNetV2Report({ deployable: false, target: "simulate" }), [
    reference,
    quantized,
  ]);
  expect(text).toMatch(/^A simulation: the file holds float arithmetic/);
  expect(text).not.toContain("ms instead of");
  expect(numbers.find(({ label }) => label === "File size")?.value).toBe("simulated");
  expect(numbers.map(({ label }) => label)).not.toContain("Latency");
});

test("the pair is found by the output's path, whatever stands between", () => {
  const other = { ...quantized, path: "zoo.onnx" };
  expect(evaluationPair(mobileNetV2Report(), [reference, other, quantized])?.quantized).toBe(quantized);
  expect(evaluationPair(mobileNetV2Report(), [reference])).toBeUndefined();
});

test.each([
  [81.5, "good"],
  [78, "caution"],
  [70, "bad"],
] as const)("top-1 of %d %% after 82.2 %% is %s", (top1, tone) => {
  expect(verdict(mobileNetV2Report(), [reference, { ...quantized, top1 }]).tone).toBe(tone);
});
