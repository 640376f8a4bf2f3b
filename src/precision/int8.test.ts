import { beforeAll, expect, it } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../test/support/engines.ts";
import type { Layer, RoundedTensor } from "../build/index.ts";
import * as nn from "../nn/index.ts";
import { sgd } from "../optim/index.ts";
import type { Value } from "../program/index.ts";
import type { Runtime } from "../runtime/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { float32, int64, type Tensor, tensorOf, toNumbers } from "../tensor/index.ts";
import { compile, compileEvaluation, evaluation, type TrainStepOptions, trainStep } from "../train/index.ts";
import { type Int8Options, int8 } from "./int8.ts";
import { gaussian, relativeDifference } from "./precision.cases.ts";

const BATCH = 20;

const mlp = nn.sequential({
  first: nn.linear(16),
  act: nn.relu(),
  second: nn.linear(12),
  tanh: nn.tanh(),
  head: nn.linear(3),
});

const inputs = { x: { shape: [BATCH, 8] }, label: { shape: [BATCH], dtype: "int64" } } as const;

function batchOf(seed = 1, scale = 1, dtype: "float32" | "float64" = "float32"): Record<string, Tensor> {
  const x = gaussian([BATCH, 8], seed, scale);
  const numbers = toNumbers(x);
  const labels = Array.from(
    { length: BATCH },
    (_, i) => (numbers[8 * i]! > 0 ? 1 : 0) + (numbers[8 * i + 1]! > 0.5 ? 1 : 0),
  );
  return { x: tensorOf(dtype, [BATCH, 8], Array.from(numbers)), label: tensorOf("int64", [BATCH], labels) };
}

function stepOf(options: Int8Options | undefined, more: Partial<TrainStepOptions> = {}) {
  return trainStep({
    inputs,
    loss: ({ x, label }, scope) => nn.crossEntropy(mlp(x!, scope), label!, scope),
    optimizer: sgd({ learningRate: 0.1, momentum: 0.9 }),
    ...(options && { precision: int8(options) }),
    ...more,
  });
}

it.each<[Int8Options, string]>([
  [{ weights: { bits: 9 as 8 } }, 'int8: weights.bits must be one of 2, 3, 4, 5, 6, 7, 8, 16, "float", got 9.'],
  [{ gradients: { bits: 1 as 2 } }, 'int8: gradients.bits must be one of 2, 3, 4, 5, 6, 7, 8, 16, "float", got 1.'],
  [
    { activations: { range: "channel" } },
    'int8: activations.range must be one of "tensor", "sample", "running", "delayed", got "channel".',
  ],
  [
    { gradients: { range: "running" } },
    'int8: gradients.range must be one of "tensor", "sample", "delayed", got "running".',
  ],
  [{ weights: { range: "delayed" } }, 'int8: weights.range must be one of "tensor", "channel", got "delayed".'],
  [
    { gradients: { rounding: "up" as "nearest" } },
    'int8: gradients.rounding must be one of "nearest", "stochastic", got "up".',
  ],
  [{ weightGradients: 4 as 8 }, 'int8: weightGradients must be one of "same", 8, 16, "float", got 4.'],
  [{ grid: "offset" as "zero" }, 'int8: grid must be one of "zero", "range", got "offset".'],
  [{ float: ["middle" as "first"] }, 'int8: float must be one of "first", "last", got "middle".'],
  [{ gradients: { logarithmic: true } }, "int8: gradients.bits must be from 2 to 5 for logarithmic gradients, got 8."],
  [
    { gradients: { logarithmic: true, bits: "float" } },
    "int8: gradients.bits must be from 2 to 5 for logarithmic gradients, got float.",
  ],
])("int8 refuses %j", (options, message) => {
  expect(() => int8(options)).toThrow(message);
});

it("int8 tells which products it quantized, and which stay in float", () => {
  const names = (options: Int8Options) => {
    const { quantized, float } = stepOf(options).precision!;
    return [quantized, float].map((nodes) => nodes.map(({ name }) => name.split("/")[0]));
  };
  expect(names({})).toEqual([["first", "second", "head"], []]);
  expect(names({ float: ["first", "last"] })).toEqual([["second"], ["first", "head"]]);
  expect(names({ layers: (path) => path !== "second" })).toEqual([["first", "head"], ["second"]]);
  expect(stepOf(undefined).precision).toBeUndefined();
});

it("int8 lists operators without a quantized form", () => {
  const step = (network: Layer, shape: readonly number[]) =>
    trainStep({
      inputs: { x: { shape } },
      loss: ({ x }, scope) => scope.ops.reduceMean(scope.ops.square(network(x!, scope)), { keepDims: false }),
      optimizer: sgd({ learningRate: 0.1 }),
      precision: int8(),
    }).precision!;
  const up = nn.sequential({
    conv: nn.conv({ channels: 4, kernel: 3 }),
    up: nn.convTranspose({ channels: 2, kernel: 2 }),
  });
  const found = step(up, [2, 3, 6, 6]);
  expect(found.quantized.map(({ operator }) => operator)).toEqual(["Conv"]);
  expect(found.float.map(({ operator }) => operator)).toEqual(["ConvTranspose"]);
  const recurrent = nn.sequential({ lstm: nn.lstm({ features: 5 }), head: nn.linear(2) });
  expect(step(recurrent, [2, 3, 4]).float.map(({ operator }) => operator)).toEqual(["LSTM"]);
});

/** Every tensor that is rounded, as `<path>.<role>` with its bits. */
function roundedBy(options: Int8Options): Record<string, number> {
  const found: Record<string, number> = {};
  const observeRounding = (_: unknown, { path, role, bits }: RoundedTensor): Record<string, Value> => {
    found[`${path}.${role}`] = bits;
    return {};
  };
  stepOf(options, { observeRounding });
  return found;
}

it("int8 rounds operands and gradients of every layer to the bits it is told", () => {
  const layers = ["first", "second", "head"];
  const all = (role: string, bits: number, of = layers) =>
    Object.fromEntries(of.map((path) => [`${path}.${role}`, bits]));
  expect(roundedBy({})).toEqual({ ...all("weight", 8), ...all("activation", 8), ...all("gradient", 8) });
  expect(roundedBy({ weights: { bits: 4 }, activations: { bits: 6 }, gradients: { bits: 3 } })).toEqual({
    ...all("weight", 4),
    ...all("activation", 6),
    // Nobody is below the first layer; weights have copies of 16 bits.
    ...all("gradient", 3, ["second", "head"]),
    ...all("weightGradient", 16),
  });
  expect(
    roundedBy({ weights: { bits: "float" }, activations: { bits: "float" }, gradients: { bits: "float" } }),
  ).toEqual({});
  expect(roundedBy({ gradients: { bits: 4, logarithmic: true }, weightGradients: "float" })).toEqual({
    ...all("weight", 8),
    ...all("activation", 8),
    ...all("gradient", 4, ["second", "head"]),
  });
});

describeUnless(reasonWithoutOnnxRuntimeNode(), "a step in 8 bits", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });

  /** Losses and variables after steps on one batch. */
  async function train(step: ReturnType<typeof stepOf>, batch: Record<string, Tensor>, steps: number, seed = 2) {
    const training = await compile(step, { runtime, seed });
    const losses: number[] = [];
    try {
      for (let i = 0; i < steps; i++) losses.push(toNumbers((await training.run(batch)).loss!)[0]!);
      return { losses, variables: await training.variables() };
    } finally {
      await training.release();
    }
  }

  const kinds: readonly (readonly [string, Int8Options])[] = [
    ["8 bits", {}],
    ["as published", { grid: "range", weightGradients: 16, activations: { range: "sample" } }],
    ["delayed ranges", { activations: { range: "delayed" }, gradients: { range: "delayed" } }],
    [
      "running ranges, noise everywhere",
      { activations: { range: "running", rounding: "stochastic" }, weights: { rounding: "stochastic" } },
    ],
    ["4-bit gradients by channel", { gradients: { bits: 4 }, weights: { range: "channel" } }],
    ["logarithmic gradients", { gradients: { bits: 4, logarithmic: true } }],
  ];

  it.each(kinds)("learns: %s", async (_, options) => {
    const { losses } = await train(stepOf(options), batchOf(), 40);
    expect(losses[39]).toBeLessThan(0.35 * losses[0]!);
  });

  it.each(kinds)("learns in float64, simulated: %s", async (_, options) => {
    const step = stepOf(options, {
      inputs: { ...inputs, x: { shape: [BATCH, 8], dtype: "float64" } },
      dtype: "float64",
    });
    const { losses } = await train(step, batchOf(1, 1, "float64"), 40);
    expect(losses[39]).toBeLessThan(0.35 * losses[0]!);
    const single = await train(stepOf(options), batchOf(), 1);
    // The same initial weights and noise but for their last digits, which move few numbers to another code.
    expect(Math.abs(losses[0]! - single.losses[0]!)).toBeLessThan(0.01);
  });

  it.each(kinds)("learns in chunks: %s", async (_, options) => {
    const { losses, variables } = await train(stepOf(options, { chunks: 4 }), batchOf(), 40);
    expect(losses[39]).toBeLessThan(0.35 * losses[0]!);
    // What evaluations read lies where they look for it.
    expect(Object.keys(variables)).toContain("second.inputRange");
  });

  it("averages gradients of chunks: without noise in them, as of the whole batch", async () => {
    const still: Int8Options = {
      gradients: { bits: "float" },
      weightGradients: "float",
      activations: { bits: "float" },
    };
    const [whole, parts] = await Promise.all([
      train(stepOf(still), batchOf(), 3),
      train(stepOf(still, { chunks: 4 }), batchOf(), 3),
    ]);
    expect(relativeDifference(parts.losses, whole.losses)).toBeLessThan(1e-5);
  });

  it.each(kinds)("is the same for the same seed, and goes on where it stopped: %s", async (_, options) => {
    const batch = batchOf();
    const whole = await train(stepOf(options), batch, 8);
    expect((await train(stepOf(options), batch, 8)).losses).toEqual(whole.losses);
    const half = await train(stepOf(options), batch, 4);
    const training = await compile(stepOf(options), { runtime, variables: half.variables });
    const rest: number[] = [];
    for (let i = 0; i < 4; i++) rest.push(toNumbers((await training.run(batch)).loss!)[0]!);
    await training.release();
    expect([...half.losses, ...rest]).toEqual(whole.losses);
  });

  it("rounds in another way with another seed of the noise", async () => {
    const { variables } = await train(stepOf({}), batchOf(), 1);
    const continued = async (seed: number) => {
      const training = await compile(stepOf({}), {
        runtime,
        variables: { ...variables, seed: int64([seed], []) },
      });
      for (let i = 0; i < 2; i++) await training.run(batchOf());
      const { "first.weight": w } = await training.variables();
      await training.release();
      return Array.from(toNumbers(w!));
    };
    expect(await continued(5)).not.toEqual(await continued(6));
    expect(await continued(5)).toEqual(await continued(5));
  });

  it.each<[string, Int8Options]>([
    ["tensor", {}],
    ["sample", { activations: { range: "sample" } }],
    ["running", { activations: { range: "running" } }],
    ["delayed", { activations: { range: "delayed" } }],
  ])("is evaluated with the ranges it kept: %s", async (_, options) => {
    const precision = int8(options);
    const batch = batchOf();
    const step = stepOf(undefined, { precision, optimizer: sgd({ learningRate: 0.02 }) });
    const { variables } = await train(step, batch, 60);
    const training = await compile(step, { runtime, variables });
    const trained = toNumbers((await training.run(batch)).loss!)[0]!;
    await training.release();
    const measured = await compileEvaluation(
      evaluation({
        inputs,
        precision,
        outputs: ({ x, label }, scope) => ({ loss: nn.crossEntropy(mlp(x!, scope), label!, scope) }),
      }),
      { runtime },
    );
    const used = toNumbers((await measured.run(batch, variables)).loss!)[0]!;
    // Of a range that is the average of the last steps some codes differ by one: a step of 1/255.
    expect(Math.abs(used - trained)).toBeLessThan(0.01 * trained);
    // Ranges of zeros would clip everything.
    const broken = Object.fromEntries(
      Object.entries(variables).map(([path, tensor]) => [
        path,
        path.endsWith("inputRange") ? float32([2], [0, 0]) : tensor,
      ]),
    );
    expect(Math.abs(toNumbers((await measured.run(batch, broken)).loss!)[0]! - trained)).toBeGreaterThan(
      0.05 * trained,
    );
    await measured.release();
  });

  it("recovers from a jump of a thousand with delayed ranges, and counts it", async () => {
    const network = nn.linear(1, { bias: false });
    const step = trainStep({
      inputs: { x: { shape: [BATCH, 8] } },
      // A gradient of 1e-6 at most: what is learned does not matter here.
      loss: ({ x }, scope) => {
        const y = network(x!, scope);
        return {
          loss: scope.ops.mul(scope.ops.reduceMean(y, { keepDims: false }), 1e-9),
          largest: scope.ops.reduceMax(scope.ops.abs(y), { keepDims: false }),
        };
      },
      optimizer: sgd({ learningRate: 0.1 }),
      precision: int8({ activations: { range: "delayed" } }),
    });
    const training = await compile(step, { runtime });
    const largest: number[] = [];
    const jumps: number[] = [];
    for (const scale of [1, 1, 1000, 1000, 1000, 1, 1]) {
      largest.push(toNumbers((await training.run({ x: batchOf(1, scale).x! })).largest!)[0]!);
      const { "network.inputRangeJumps": atTop, inputRangeJumps = atTop } = await training.variables();
      jumps.push(toNumbers(inputRangeJumps!)[0]!);
    }
    await training.release();
    const ratio = largest.map((one) => one / largest[0]!);
    // Clipped for one step, right from the next on; on the way back a step with codes that are too coarse.
    expect(ratio[1]).toBeCloseTo(1, 1);
    expect(ratio[2]).toBeLessThan(10);
    expect(ratio[3]! / 1000).toBeCloseTo(1, 1);
    expect(ratio[6]).toBeCloseTo(1, 1);
    expect(jumps).toEqual([0, 0, 1, 1, 1, 1, 1]);
  });

  it.each(kinds)("takes a batch of constants and zero gradients: %s", async (_, options) => {
    for (const value of [0, 3]) {
      const batch = { ...batchOf(), x: float32([BATCH, 8], new Float32Array(BATCH * 8).fill(value)) };
      const loss: TrainStepOptions["loss"] = ({ x, label }, scope) =>
        scope.ops.mul(nn.crossEntropy(mlp(x!, scope), label!, scope), 0);
      const { variables } = await train(stepOf(options, { loss }), batch, 3);
      const before = await train(stepOf(options, { loss }), batch, 1);
      for (const path of ["first.weight", "second.weight", "head.bias"]) {
        expect(toNumbers(variables[path]!).every(Number.isFinite)).toBe(true);
        expect(Array.from(toNumbers(variables[path]!))).toEqual(Array.from(toNumbers(before.variables[path]!)));
      }
    }
  });

  it.each(kinds)("fails in words where an input is not finite: %s", async (_, options) => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      // In the middle: reductions to extremes drop NaN there.
      const batch = batchOf();
      (batch.x!.data as Float32Array)[77] = bad;
      await expect(train(stepOf(options), batch, 1)).rejects.toThrow(
        /^training: .* must .*finite, got .* in step 0\. The first value that is not finite is "x"\. Variables are those before that step\./s,
      );
    }
  });

  it.each(kinds)("is evaluated to NaN where an input is not finite, as in float: %s", async (_, options) => {
    const step = stepOf(options);
    const { variables } = await train(step, batchOf(), 2);
    const measured = await compileEvaluation(
      evaluation({
        inputs,
        precision: int8(options),
        outputs: ({ x, label }, scope) => ({ loss: nn.crossEntropy(mlp(x!, scope), label!, scope) }),
      }),
      { runtime },
    );
    for (const bad of [1e6, Number.NaN, Number.POSITIVE_INFINITY]) {
      const batch = batchOf();
      (batch.x!.data as Float32Array)[77] = bad;
      const loss = toNumbers((await measured.run(batch, variables)).loss!)[0]!;
      expect(Number.isFinite(loss)).toBe(Number.isFinite(bad));
    }
    await measured.release();
  });

  it.each(kinds)("fails in words where one number of a gradient is not finite: %s", async (_, options) => {
    // The derivative of the root at 0 is infinite, times 0 NaN.
    const loss: TrainStepOptions["loss"] = ({ x, label }, scope) => {
      const { ops } = scope;
      const scores = mlp(x!, scope);
      const zero = ops.mul(ops.slice(scores, { axes: [0, 1], starts: [7, 1], ends: [8, 2] }), 0);
      const term = ops.reduceSum(ops.mul(ops.sqrt(zero), 0), { keepDims: false });
      return ops.add(nn.crossEntropy(scores, label!, scope), term);
    };
    await expect(train(stepOf(options, { loss }), batchOf(), 1)).rejects.toThrow(/must .*finite/);
  });
});
