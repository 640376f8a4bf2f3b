/** What a report on MobileNetV2 looks like: 53 layers with made-up but plausible numbers, the same at every call. */
import type { ActivationReport, Evaluation, Histogram, LayerReport, QuantizationReport } from "../quantize/index.ts";
import { seededRandom } from "../tensor/index.ts";

/** Expected counts of `count` Laplace values of scale b around zero, negative ones at zero when one-sided, and an outlier. */
export function laplaceHistogram(parts: {
  readonly b: number;
  readonly oneSided?: boolean;
  readonly outlier?: number;
  readonly bins?: number;
  readonly count?: number;
}): Histogram {
  const { b, oneSided = false, outlier = 0, bins = 512, count = 100_000 } = parts;
  const extreme = b * Math.log(count);
  const low = oneSided ? 0 : -extreme;
  const high = Math.max(extreme, outlier);
  const distribution = (x: number): number => (x < 0 ? Math.exp(x / b) / 2 : 1 - Math.exp(-x / b) / 2);
  const step = (high - low) / bins;
  const counts = Float64Array.from({ length: bins }, (_, i) =>
    Math.round(count * (distribution(low + (i + 1) * step) - distribution(low + i * step))),
  );
  if (oneSided) counts[0]! += count / 2;
  if (outlier > 0) counts[bins - 1]!++;
  return { low, high, counts };
}

interface Plan {
  readonly kind: "conv" | "depthwise-conv" | "gemm";
  readonly shape: readonly number[];
  readonly side: number;
  readonly relu: boolean;
}

/** The layers of MobileNetV2 1.0 at 224 x 224. */
function architecture(): Plan[] {
  const plans: Plan[] = [{ kind: "conv", shape: [32, 3, 3, 3], side: 112, relu: true }];
  let channels = 32;
  let side = 112;
  for (const [expansion, width, repeats, stride] of [
    [1, 16, 1, 1],
    [6, 24, 2, 2],
    [6, 32, 3, 2],
    [6, 64, 4, 2],
    [6, 96, 3, 1],
    [6, 160, 3, 2],
    [6, 320, 1, 1],
  ] as const) {
    for (let i = 0; i < repeats; i++) {
      const hidden = channels * expansion;
      if (expansion > 1) plans.push({ kind: "conv", shape: [hidden, channels, 1, 1], side, relu: true });
      if (i === 0) side /= stride;
      plans.push({ kind: "depthwise-conv", shape: [hidden, 1, 3, 3], side, relu: true });
      plans.push({ kind: "conv", shape: [width, hidden, 1, 1], side, relu: false });
      channels = width;
    }
  }
  plans.push({ kind: "conv", shape: [1280, 320, 1, 1], side: 7, relu: true });
  plans.push({ kind: "gemm", shape: [1000, 1280], side: 1, relu: false });
  return plans;
}

function layer(plan: Plan, index: number, bits: { weights: number; activations: number }): LayerReport {
  const random = seededRandom(1000 + index);
  const weightCount = plan.shape.reduce((product, length) => product * length, 1);
  const isEnd = index === 0 || plan.kind === "gemm";
  const weightBits = isEnd ? 8 : bits.weights;
  const perBit = 6.02;
  const weightSqnrDb = perBit * weightBits - (plan.kind === "depthwise-conv" ? 9 : 5.5) - 4 * random.uniform();
  return {
    name: plan.kind === "gemm" ? "Gemm_104" : `Conv_${index * 2}`,
    operator: plan.kind === "gemm" ? "Gemm" : "Conv",
    weightBits,
    activationBits: bits.activations,
    sqnrDb: Math.max(
      4,
      (isEnd ? 22 : 17) + 9 * Math.exp(-index / 9) - (plan.kind === "depthwise-conv" ? 4 : 0) + 3 * random.uniform(),
    ),
    weightSqnrDb,
    weightCount,
    weightShape: plan.shape,
    macs: weightCount * plan.side * plan.side,
    kind: plan.kind,
    note: isEnd ? `${index === 0 ? "first" : "last"} layer keeps 8 bits` : null,
    activation: activation(plan, index, bits.activations),
  };
}

function activation(plan: Plan, index: number, bits: number): ActivationReport {
  const random = seededRandom(2000 + index);
  const b = 0.4 + 0.8 * random.uniform();
  const outlier = index % 17 === 1 ? 40 * b : 0;
  const histogram = laplaceHistogram({ b, oneSided: plan.relu, outlier });
  const clip = b * (bits === 4 ? 5.03 : 9.9);
  const clipHigh = Math.min(clip, histogram.high);
  const step = (clipHigh * (plan.relu ? 1 : 2)) / (2 ** bits - 1);
  const measuredMse = (step * step) / 12 + 2 * b * b * Math.exp(-clipHigh / b) * (0.7 + 0.6 * random.uniform());
  return {
    name: `act_${index}`,
    side: plan.relu ? "one-sided" : "two-sided",
    method: "aciq-laplace",
    min: histogram.low,
    max: histogram.high,
    clipLow: plan.relu ? 0 : Math.max(-clip, histogram.low),
    clipHigh,
    predictedMse: measuredMse * (0.6 + 0.9 * random.uniform()),
    measuredMse,
    entropyBits: bits - 1.1,
    histogram,
    channelBits: null,
  };
}

/** Returns the report of one quantization of MobileNetV2. */
export function mobileNetV2Report(
  changes: Partial<QuantizationReport> & { weights?: number; activations?: number } = {},
): QuantizationReport {
  const { weights = 4, activations = 8, ...rest } = changes;
  return {
    modicumVersion: "0.1.0",
    runtime: "onnxruntime-node 1.30.0",
    date: "2026-11-23T16:20:00.000Z",
    input: {
      path: "models/mobilenetv2.onnx",
      sizeBytes: 13_966_410,
      sha256: "e5bbd0a1be9f56485bbc0b91fa2c1f391b1fee7b4f68011d3ad4e7359007192f",
    },
    output: { path: "mobilenetv2-w4a8.onnx", sizeBytes: 2_984_112 },
    target: "cpu",
    deployable: true,
    settings: {
      weights,
      activations,
      target: "cpu",
      range: "aciq-laplace",
      variant: "levels",
      granularity: "tensor",
      correction: "mean",
      policy: "paper",
      seed: 0,
    },
    calibration: { source: "calibration/, 64 pictures", samples: 64, batches: 8 },
    seconds: 14.2,
    peakMemoryBytes: 412_000_000,
    layers: architecture().map((plan, index) => layer(plan, index, { weights, activations })),
    remarks: ["Conv_6: left in float because its weights hold NaN."],
    meanWeightBits: 5.46,
    ladder: [],
    mixedPrecision: null,
    preparationDifference: 3.1e-5,
    ...rest,
  };
}

/** Returns accuracy and speed of the float and the quantized model. */
export function mobileNetV2Evaluations(): Evaluation[] {
  return [
    {
      path: "models/mobilenetv2.onnx",
      sizeBytes: 13_966_410,
      count: 500,
      top1: 82.2,
      top5: 95.4,
      top1StandardError: 1.71,
      latencyMs: { median: 9.84, p95: 10.9 },
      throughput: 131,
      agreement: null,
      outputSqnrDb: null,
      outputDivergence: null,
    },
    {
      path: "mobilenetv2-w4a8.onnx",
      sizeBytes: 2_984_112,
      count: 500,
      top1: 77.4,
      top5: 93.2,
      top1StandardError: 1.87,
      latencyMs: { median: 4.41, p95: 4.9 },
      throughput: 302,
      agreement: 87.2,
      outputSqnrDb: 13.4,
      outputDivergence: 0.061,
    },
  ];
}
