import { beforeAll, expect, it } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../../test/support/engines.ts";
import { crossEntropy, linear, relu, sequential } from "../../nn/index.ts";
import { sgd } from "../../optim/index.ts";
import { type Int8Options, int8, predictedCosine } from "../../precision/index.ts";
import type { Runtime } from "../../runtime/index.ts";
import { nodeRuntime } from "../../runtime/node.ts";
import { float32, seededRandom, type Tensor, tensorOf } from "../../tensor/index.ts";
import { compile, trainStep } from "../../train/index.ts";
import { recordFit, smallPlan } from "../fit.cases.ts";
import type { Probe, ProbeContext } from "../probe.ts";
import { gradientHistograms } from "./gradient-histograms.ts";
import { quantizationAngles, rankAngles } from "./quantization-angles.ts";

const BATCH = 64;

const network = sequential({ first: linear(128), act: relu(), second: linear(128), act2: relu(), head: linear(4) });

function stepOf(options: Int8Options | undefined, chunks = 1) {
  return trainStep({
    inputs: { x: { shape: [BATCH, 256] }, label: { shape: [BATCH], dtype: "int64" } },
    loss: ({ x, label }, scope) => crossEntropy(network(x!, scope), label!, scope),
    optimizer: sgd({ learningRate: 0.05 }),
    chunks,
    ...(options && { precision: int8(options) }),
  });
}

/** Standard normal inputs; `spike` is put in place of one of them. */
function batchOf(spike?: number): Record<string, Tensor> {
  const random = seededRandom(5);
  const numbers = Float32Array.from({ length: BATCH * 256 }, () => random.normal());
  if (spike !== undefined) numbers[1234] = spike;
  return {
    x: float32([BATCH, 256], numbers),
    label: tensorOf(
      "int64",
      [BATCH],
      Array.from({ length: BATCH }, (_, i) => i % 4),
    ),
  };
}

describeUnless(reasonWithoutOnnxRuntimeNode(), "probes of a precision", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });

  /** What a probe measures after two steps. */
  async function measure(probe: Probe, step: ReturnType<typeof stepOf>, batch = batchOf()) {
    const training = await compile(step, { runtime });
    for (let i = 0; i < 2; i++) await training.run(batch);
    const variables = await training.variables();
    await training.release();
    const plan = { ...smallPlan(), step };
    const context = { plan, runtime, batch, variables: async () => variables } as unknown as ProbeContext;
    const values = await probe.measure(context);
    // Once more: nothing of the first time is left.
    expect(await probe.measure(context)).toEqual(values);
    await probe.release?.();
    return values;
  }

  const angles = (options?: Int8Options, batch?: Record<string, Tensor>, chunks?: number) =>
    measure(quantizationAngles(), stepOf(options, chunks), batch);

  it("quantizationAngles agree with the prediction for Gaussian tensors, at every number of bits", async () => {
    const turned: number[] = [];
    const gradients: number[] = [];
    for (const bits of [4, 6, 8] as const) {
      const values = await angles({ activations: { bits }, weights: { bits }, gradients: { bits } });
      const expected = predictedCosine({ bits, count: BATCH * 256 });
      expect(values["first.activation.predicted"]).toBe(expected);
      const angle = Math.acos(values["first.activation.cosine"]!);
      // The largest of these numbers is what it is: 10 % around the angle of the mean.
      expect(angle / Math.acos(expected)).toBeGreaterThan(0.85);
      expect(angle / Math.acos(expected)).toBeLessThan(1.15);
      turned.push(angle);
      gradients.push(Math.acos(values["second.gradient.cosine"]!));
    }
    // Two bits more, a quarter of the angle.
    expect(turned[0]! / turned[1]!).toBeCloseTo(4, 0);
    expect(turned[1]! / turned[2]!).toBeCloseTo(4, 0);
    for (const index of [0, 1]) expect(gradients[index]! / gradients[index + 1]!).toBeGreaterThan(3);
  });

  it("quantizationAngles name every tensor that is rounded, and no other", async () => {
    const tensors = (values: Readonly<Record<string, number>>) =>
      Object.keys(values).flatMap((name) => (name.endsWith(".cosine") ? [name.slice(0, -7)] : []));
    const values = await angles({
      layers: (path) => path !== "second",
      weights: { bits: "float" },
      weightGradients: 16,
    });
    expect(tensors(values).sort()).toEqual(
      ["first.activation", "first.weightGradient", "head.activation", "head.gradient", "head.weightGradient"].sort(),
    );
    expect(Object.keys(values)).toHaveLength(4 * 5);
    // Numbers behind a ReLU have zeros, which stay; 16 bits turn nothing to speak of.
    expect(values["head.weightGradient.cosine"]).toBeGreaterThan(1 - 1e-8);
  });

  it("quantizationAngles tell what is clipped and what is lost", async () => {
    const plain = await angles({});
    expect(plain["first.activation.saturated"]).toBe(0);
    expect(plain["first.activation.underflow"]).toBeLessThan(0.05);
    // One number is a hundred times as large: all others share few codes.
    const spiked = await angles({}, batchOf(300));
    expect(spiked["first.activation.underflow"]).toBeGreaterThan(0.3);
    expect(spiked["first.activation.saturated"]).toBe(0);
    // With the mean of samples' ranges it is clipped, and so are numbers of samples with larger ones than the mean.
    const clipped = await angles({ activations: { range: "sample" } }, batchOf(300));
    expect(clipped["first.activation.saturated"]).toBeGreaterThan(0.9 / (BATCH * 256));
    expect(clipped["first.activation.saturated"]).toBeLessThan(0.01);
    expect(clipped["first.activation.underflow"]).toBeLessThan(0.1);
  });

  it("rankAngles puts first what rounding turns most", async () => {
    const worst = (values: Readonly<Record<string, number>>) =>
      rankAngles(values).find(({ tensor }) => !tensor.endsWith("gradient"))!;
    // Four tensors of eight bits turn alike; with weights of three bits those come first.
    const coarse = rankAngles(await angles({ weights: { bits: 3 } }));
    expect(
      coarse
        .slice(0, 3)
        .map(({ tensor }) => tensor)
        .sort(),
    ).toEqual(["first.weight", "head.weight", "second.weight"]);
    expect(coarse.map(({ angle }) => angle)).toEqual(coarse.map(({ angle }) => angle).sort((a, b) => b - a));
    // An outlier in the input hurts the first layer, far more than is predicted of Gaussian numbers.
    const spiked = worst(await angles({}, batchOf(1000)));
    expect(spiked.tensor).toBe("first.activation");
    expect(spiked.angle).toBeGreaterThan(10 * spiked.predicted);
    expect(spiked.underflow).toBeGreaterThan(0.3);
    expect(rankAngles({ loss: 1 })).toEqual([]);
    const overflown = rankAngles({ "a.weight.cosine": 0.5, "b.weight.cosine": Number.NaN, "c.weight.cosine": 0 });
    expect(overflown.map(({ tensor }) => tensor)).toEqual(["b.weight", "c.weight", "a.weight"]);
  });

  it("quantizationAngles take the parts of a batch together", async () => {
    const [whole, parts] = [await angles({}), await angles({}, batchOf(), 4)];
    expect(Object.keys(parts).sort()).toEqual(Object.keys(whole).sort());
    // Grids of a quarter of the batch are a little finer.
    const ratio = Math.acos(parts["first.activation.cosine"]!) / Math.acos(whole["first.activation.cosine"]!);
    expect(ratio).toBeGreaterThan(0.8);
    expect(ratio).toBeLessThan(1.02);
  });

  it("gradientHistograms hold every number once", async () => {
    const values = await measure(gradientHistograms({ bins: 12 }), stepOf({}));
    for (const layer of ["first", "second", "head"]) {
      const bins = Array.from({ length: 12 }, (_, k) => values[`${layer}.2^-${k}`]!);
      expect(bins.reduce((sum, share) => sum + share, values[`${layer}.zeros`]!)).toBeCloseTo(1, 5);
      expect(Math.min(...bins)).toBeGreaterThanOrEqual(0);
      expect(bins[0]).toBeGreaterThan(0);
      expect(values[`${layer}.largest`]).toBeGreaterThan(0);
    }
    // Behind a ReLU about half of the gradient is 0; before the loss nothing is.
    expect(values["first.zeros"]).toBeGreaterThan(0.3);
    expect(values["head.zeros"]).toBe(0);
  });

  it("gradientHistograms find numbers that are all of one size", async () => {
    const step = trainStep({
      inputs: { x: { shape: [BATCH, 256] } },
      // The gradient of the mean is one number.
      loss: ({ x }, scope) => scope.ops.reduceMean(linear(8)(x!, scope.child("only")), { keepDims: false }),
      optimizer: sgd({ learningRate: 0.05 }),
      precision: int8(),
    });
    const values = await measure(gradientHistograms({ bins: 4 }), step, { x: batchOf().x! });
    expect(values["only.2^-0"]).toBe(1);
    expect(values["only.largest"]! * BATCH * 8).toBeCloseTo(1, 6);
    expect([values["only.2^-1"], values["only.2^-2"], values["only.2^-3"], values["only.zeros"]]).toEqual([0, 0, 0, 0]);
  });

  it("leave the training as it is", async () => {
    const step = trainStep({
      inputs: { x: { shape: [4, 2] }, label: { shape: [4], dtype: "int64" } },
      loss: ({ x, label }, scope) => crossEntropy(linear(3)(x!, scope.child("head")), label!, scope),
      optimizer: sgd({ learningRate: 0.1 }),
      precision: int8(),
    });
    const plan = { ...smallPlan(), step, parts: [], totalSteps: 5 };
    const probes = { angles: quantizationAngles({ steps: 2 }), gradients: gradientHistograms({ every: { steps: 2 } }) };
    const probed = await recordFit(plan, runtime, { probes });
    expect(probed.events.filter(({ type }) => type === "probe")).toHaveLength(6);
    expect(probed.result.variables).toEqual((await recordFit(plan, runtime)).result.variables);
  });

  it("refuse steps without a precision, and bins that are none", async () => {
    await expect(angles(undefined)).rejects.toThrow(
      "quantizationAngles: the training step must have a precision that rounds, got none. Give it int8() or leave the probe out.",
    );
    expect(() => gradientHistograms({ bins: 0 })).toThrow(
      "gradientHistograms: bins must be a whole number from 1 to 64, got 0.",
    );
  });
});
