import { describe, expect, it } from "vitest";
import type { Optimizer, Scope } from "../build/index.ts";
import { readModel } from "../onnx/index.ts";
import type { Value } from "../program/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { float32, seededRandom, type Tensor } from "../tensor/index.ts";
import { compile } from "./compile.ts";
import { exportOnnx } from "./export-onnx.ts";
import { type TrainStepOptions, trainStep } from "./train-step.ts";

const runtime = await nodeRuntime({ threads: 1 });
const random = seededRandom(5);
const normal = (shape: readonly number[]): Tensor =>
  float32(
    shape,
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
  );

const momentum: Optimizer = {
  learningRate: (step) => 0.1 / (step + 1),
  apply({ ops, gradients, update, learningRate, slot, updateSlot }) {
    for (const { parameter, gradient } of gradients()) {
      const v = ops.add(ops.mul(slot(parameter, "momentum"), 0.9), gradient);
      updateSlot(parameter, "momentum", v);
      update(parameter, ops.sub(parameter.value, ops.mul(v, learningRate)));
    }
  },
};

const start = (shape: readonly number[], generator: { normal(): number }) =>
  Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 0.3 * generator.normal());

/** A convolution, a running mean of what comes in, and a product. */
function model(x: Value, scope: Scope): Value {
  const { ops } = scope;
  const mean = scope.statistic("mean", [], () => [0]);
  const now = ops.reduceMean(x, { keepDims: false });
  scope.update("mean", ops.add(ops.mul(mean, 0.9), ops.mul(now, 0.1)));
  const stem = scope.child("stem");
  const hidden = stem.ops.relu(stem.ops.conv(x, stem.parameter("weight", [3, 2, 3, 3], start)));
  return ops.matMul(ops.reshape(hidden, [-1, 12]), scope.child("head").parameter("weight", [12, 2], start));
}

function stepOf(options: Partial<TrainStepOptions> = {}) {
  return trainStep({
    inputs: { x: { shape: [6, 2, 4, 4] }, target: { shape: [6, 2] } },
    loss: ({ x, target }, scope) => {
      const difference = scope.ops.sub(model(x!, scope), target!);
      return { loss: scope.ops.reduceMean(scope.ops.square(difference), { keepDims: false }) };
    },
    optimizer: momentum,
    ...options,
  });
}

const batches = Array.from({ length: 5 }, () => ({ x: normal([6, 2, 4, 4]), target: normal([6, 2]) }));

async function train(options: Parameters<typeof stepOf>[0] = {}, loop = false) {
  const training = await compile(stepOf(options), { runtime, loop });
  const metrics = loop
    ? [...(await training.runMany(batches.slice(0, 3))), ...(await training.runMany(batches.slice(3)))]
    : await training.runMany(batches);
  const variables = await training.variables();
  await training.release();
  return { losses: metrics.map(({ loss }) => loss!.data[0]), variables };
}

describe("compile", () => {
  it("takes the same steps in one Loop as one by one, bit for bit", async () => {
    const one = await train();
    const many = await train({}, true);
    expect(many.losses).toEqual(one.losses);
    expect(many.variables).toEqual(one.variables);
    expect(new Set(one.losses).size).toBe(batches.length);
  });

  it("computes in chunks the gradient of the whole batch, and updates statistics chunk by chunk", async () => {
    const whole = await train();
    const chunked = await train({ chunks: 3 });
    chunked.losses.forEach((loss, index) => {
      expect(Number(loss)).toBeCloseTo(Number(whole.losses[index]), 5);
    });
    const weights = chunked.variables["stem.weight"]!.data as Float32Array;
    weights.forEach((weight, index) => {
      expect(weight).toBeCloseTo(Number(whole.variables["stem.weight"]!.data[index]), 5);
    });
    // Three updates of 0.1 per step instead of one.
    const means = batches.flatMap(({ x }) =>
      [0, 1, 2].map((part) => {
        const values = (x.data as Float32Array).subarray(part * 64, part * 64 + 64);
        return values.reduce((sum, value) => sum + value, 0) / 64;
      }),
    );
    const expected = means.reduce((running, mean) => 0.9 * running + 0.1 * mean, 0);
    expect(Number(chunked.variables.mean!.data[0])).toBeCloseTo(expected, 5);
    const looped = await train({ chunks: 3 }, true);
    expect(looped.losses).toEqual(chunked.losses);
  });

  it("refuses chunks that do not divide the batch", () => {
    expect(() => stepOf({ chunks: 4 })).toThrow(
      'trainStep: the first axis of every input must be a multiple of chunks (4), got "x" of length 6.',
    );
    expect(() => stepOf({ chunks: 0.5 })).toThrow("trainStep: chunks must be a whole number of at least 1, got 0.5.");
  });

  it("names the layer whose operator the engine does not have", async () => {
    const odd = trainStep({
      inputs: { x: { shape: [2], dtype: "uint32" } },
      loss: ({ x }, scope) => {
        const { ops } = scope.child("encoder").child("odd");
        const mean = ops.reduceMean(ops.cast(ops.cumSum(x!, 0), "float32"), { keepDims: false });
        return ops.mul(
          mean,
          scope.parameter("weight", [], () => [1]),
        );
      },
      optimizer: momentum,
    });
    await expect(compile(odd, { runtime })).rejects.toThrow(
      /^createSession: ONNX Runtime must accept CumSum node "encoder\.odd\/CumSum_\d+", got: .*/,
    );
  });

  it.each([-1, 0.5, 2 ** 32, Number.NaN])("refuses a seed that is no whole number of 32 bits: %s", async (seed) => {
    await expect(compile(stepOf(), { runtime, seed })).rejects.toThrow(
      `compile: seed must be a whole number from 0 to 4294967295, got ${seed}.`,
    );
  });

  it("starts every variable from the seed and its own path", async () => {
    const initial = async (seed: number) => {
      const training = await compile(stepOf(), { runtime, seed });
      return (await training.variables())["stem.weight"];
    };
    expect(await initial(1)).toEqual(await initial(1));
    expect(await initial(1)).not.toEqual(await initial(2));
  });
});

describe("exportOnnx", () => {
  it("writes the trained model with a free batch axis, in standard operators", async () => {
    const { variables } = await train();
    const exported = exportOnnx({
      inputs: { x: { shape: ["batch", 2, 4, 4] } },
      outputs: ({ x }, scope) => ({ y: model(x!, scope) }),
      variables,
    });
    const program = readModel(exported.bytes);
    expect([...program.opsets.keys()].filter((domain) => domain === "modicum")).toEqual([]);
    const session = await runtime.createSession(exported);
    for (const count of [1, 4])
      expect((await session.run({ x: normal([count, 2, 4, 4]) })).y!.shape).toEqual([count, 2]);
    await session.release();
  });

  it("says which variable is missing", () => {
    const write = () =>
      exportOnnx({
        inputs: { x: { shape: ["batch", 2, 4, 4] } },
        outputs: ({ x }, scope) => model(x!, scope),
        variables: {},
      });
    expect(write).toThrow('exportOnnx: variables must hold "mean" of shape [], got none.');
  });
});
