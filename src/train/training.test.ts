import { describe, expect, it } from "vitest";
import { readSafetensors, writeSafetensors } from "../data/index.ts";
import { nn, optim } from "../index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { float32, int64, seededRandom, type Tensor } from "../tensor/index.ts";
import { compile } from "./compile.ts";
import { trainStep } from "./train-step.ts";

const runtime = await nodeRuntime({ threads: 1 });
const random = seededRandom(5);
const model = nn.sequential({
  stem: nn.linear(8),
  norm: nn.batchNorm(),
  relu: nn.relu(),
  drop: nn.dropout(0.2),
  head: nn.linear(3),
});
const step = trainStep({
  inputs: { x: { shape: [6, 5] }, label: { shape: [6], dtype: "int64" } },
  loss: ({ x, label }, scope) => nn.crossEntropy(model(x!, scope), label!, scope),
  optimizer: optim.adam({ learningRate: (number) => 0.01 / (1 + number) }),
});
const batch = (): Record<string, Tensor> => ({
  x: float32(
    [6, 5],
    Float32Array.from({ length: 30 }, () => random.normal()),
  ),
  label: int64(Array.from({ length: 6 }, () => random.integer(3))),
});
const batches = Array.from({ length: 10 }, batch);

describe("Training", () => {
  it("goes on after a restart as if there had been none, bit for bit: dropout, Adam, schedule and statistics", async () => {
    const whole = await compile(step, { runtime, seed: 3 });
    await whole.runMany(batches);
    const first = await compile(step, { runtime, seed: 3 });
    await first.runMany(batches.slice(0, 5));
    const saved = readSafetensors(writeSafetensors(first.variables), "saved").tensors;
    const second = await compile(step, { runtime, variables: saved });
    await second.runMany(batches.slice(5));
    expect(second.variables).toEqual(whole.variables);
    first.restore(saved);
    await first.runMany(batches.slice(5));
    expect(first.variables).toEqual(whole.variables);
    await Promise.all([whole.release(), first.release(), second.release()]);
  });

  it("refuses batches and variables that are not the step's, before anything runs", async () => {
    const training = await compile(step, { runtime });
    const { x, label } = batch();
    await expect(training.run({ x: x! })).rejects.toThrow(
      'training: a batch must hold the step\'s inputs [x, label], got none for "label".',
    );
    await expect(training.run({ x: x!, label: label!, y: x! })).rejects.toThrow('got one named "y"');
    await expect(training.run({ x: float32([5, 5], new Float32Array(25)), label: label! })).rejects.toThrow(
      'training: input "x" must have the shape the step was built for, [6, 5], got [5, 5]. Build a step for that shape too.',
    );
    await expect(training.run({ x: x!, label: x! })).rejects.toThrow(
      'training: input "label" must be int64, got float32.',
    );
    expect(() => training.restore({ ...training.variables, extra: x! })).toThrow('got one named "extra"');
    const { "head.weight": _, ...rest } = training.variables;
    expect(() => training.restore(rest)).toThrow(
      'training: variables must hold "head.weight" as float32 [3, 8], got none. Is it another model\'s?',
    );
    await training.release();
  });

  it.each([false, true])(
    "stops at a loss that is not finite, says where it began, and keeps the last good variables (loop: %s)",
    async (loop) => {
      const training = await compile(step, { runtime, loop });
      await training.runMany(batches.slice(0, 3));
      const good = training.variables;
      const bad = { ...batches[3]!, x: float32([6, 5], new Float32Array(30).fill(Number.NaN)) };
      await expect(training.run(bad)).rejects.toThrow(
        'training: the loss must be finite, got NaN in step 3. The first value that is not finite is "x". ' +
          "Variables are those before that step. Lower the learning rate, clip gradients, or look at the data.",
      );
      expect(training.variables).toEqual(good);
      await expect(training.runMany([batches[3]!, bad])).rejects.toThrow("in step 4");
      training.restore({ ...good, "stem.weight": float32([8, 5], new Float32Array(40).fill(3e38)) });
      await expect(training.run(batches[3]!)).rejects.toThrow(
        /The first value that is not finite is Gemm \(stem\/Gemm_\d+\)\./,
      );
      await training.release();
    },
  );

  it("stops between steps when it is aborted", async () => {
    const training = await compile(step, { runtime });
    const controller = new AbortController();
    const running = training.runMany(batches, { signal: controller.signal });
    controller.abort(new Error("enough"));
    await expect(running).rejects.toThrow("enough");
    expect(Number(training.variables.step!.data[0])).toBeLessThan(batches.length);
    await expect(training.run(batches[0]!, { signal: controller.signal })).rejects.toThrow("enough");
    await training.release();
  });
});
