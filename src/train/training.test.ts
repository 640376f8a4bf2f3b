import { describe, expect, it } from "vitest";
import { readSafetensors, writeSafetensors } from "../data/index.ts";
import { nn, optim } from "../index.ts";
import type { HeldTensor, Runtime } from "../runtime/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { float32, int64, seededRandom, type Tensor } from "../tensor/index.ts";
import { compile } from "./compile.ts";
import { storeFloat16 } from "./store-float16.ts";
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

/** A runtime that counts what is not released. */
function countingRuntime(inner: Runtime): { runtime: Runtime; held(): number; sessions(): number } {
  let [held, sessions] = [0, 0];
  const counted = (tensor: HeldTensor): HeldTensor => {
    held++;
    const release = () => {
      held--;
      tensor.release();
    };
    return Object.assign(Object.create(tensor), { inner: tensor, release });
  };
  const runtime: Runtime = {
    ...inner,
    async createSession(model, options) {
      const session = await inner.createSession(model, options);
      sessions++;
      return {
        ...session,
        async runHolding(feeds) {
          const plain = Object.entries(feeds).map(([name, tensor]) => [
            name,
            "inner" in tensor ? tensor.inner : tensor,
          ]);
          const results = await session.runHolding(Object.fromEntries(plain));
          return {
            ...results,
            held: Object.fromEntries(Object.entries(results.held).map(([name, tensor]) => [name, counted(tensor)])),
          };
        },
        release() {
          sessions--;
          return session.release();
        },
      };
    },
  };
  return { runtime, held: () => held, sessions: () => sessions };
}

describe("Training", () => {
  it("goes on after a restart as if there had been none, bit for bit: dropout, Adam, schedule and statistics", async () => {
    const whole = await compile(step, { runtime, seed: 3 });
    await whole.runMany(batches);
    const first = await compile(step, { runtime, seed: 3 });
    await first.runMany(batches.slice(0, 5));
    const saved = readSafetensors(writeSafetensors(await first.variables()), "saved").tensors;
    const second = await compile(step, { runtime, variables: saved });
    await second.runMany(batches.slice(5));
    expect(await second.variables()).toEqual(await whole.variables());
    await first.restore(saved);
    await first.runMany(batches.slice(5));
    expect(await first.variables()).toEqual(await whole.variables());
    await Promise.all([whole.release(), first.release(), second.release()]);
  });

  it("refuses batches and variables that are not the step's, before anything runs", async () => {
    const training = await compile(step, { runtime });
    const { x, label } = batch();
    await expect(training.run({ x: x! })).rejects.toThrow(
      'training: a batch must hold the step\'s inputs [x, label], got none for "label".',
    );
    await expect(training.run({ x: x!, label: label!, y: x! })).rejects.toThrow('got one named "y"');
    await expect(training.run({ x: float32([30], new Float32Array(30)), label: label! })).rejects.toThrow(
      'training: input "x" must have as many axes as [6, 5], got [30].',
    );
    await expect(training.run({ x: float32([6, 4], new Float32Array(24)), label: label! })).rejects.toThrow(
      'training: batches must leave the variables as they are, got x [6, 4], label [6], which makes "stem.weight" [8, 4] ' +
        "instead of [8, 5].",
    );
    await expect(training.run({ x: float32([5, 5], new Float32Array(25)), label: label! })).rejects.toMatchObject({
      code: "shape",
    });
    await expect(training.run({ x: x!, label: x! })).rejects.toThrow(
      'training: input "label" must be int64, got float32.',
    );
    const variables = await training.variables();
    await expect(training.restore({ ...variables, extra: x! })).rejects.toThrow('got one named "extra"');
    const { "head.weight": _, ...rest } = variables;
    await expect(training.restore(rest)).rejects.toThrow(
      'training: variables must hold "head.weight" as float32 [3, 8], got none. Is it another model\'s?',
    );
    await training.release();
  });

  it.each([false, true])(
    "stops at a loss that is not finite, says where it began, and keeps the last good variables (loop: %s)",
    async (loop) => {
      const training = await compile(step, { runtime, loop });
      await training.runMany(batches.slice(0, 3));
      const good = await training.variables();
      const bad = { ...batches[3]!, x: float32([6, 5], new Float32Array(30).fill(Number.NaN)) };
      await expect(training.run(bad)).rejects.toThrow(
        'training: the loss must be finite, got NaN in step 3. The first value that is not finite is "x". ' +
          "Variables are those before that step. Lower the learning rate, clip gradients, or look at the data.",
      );
      expect(await training.variables()).toEqual(good);
      await expect(training.runMany([batches[3]!, bad])).rejects.toThrow("in step 4");
      await training.restore({ ...good, "stem.weight": float32([8, 5], new Float32Array(40).fill(3e38)) });
      await expect(training.run(batches[3]!)).rejects.toThrow(
        /The first value that is not finite is Gemm \(stem\/Gemm_\d+\)\./,
      );
      await training.release();
    },
  );

  it("stops at a gradient that is not finite though the loss is, before the variables are lost", async () => {
    // The square root's gradient at 0 is infinite.
    const step = trainStep({
      inputs: { x: { shape: [2] } },
      loss: ({ x }, scope) => {
        const { ops } = scope;
        const weight = scope.parameter("weight", [2], () => [1, 1]);
        return ops.reduceSum(ops.sqrt(ops.mul(x!, ops.abs(weight))), { keepDims: false });
      },
      optimizer: optim.sgd({ learningRate: 0.1 }),
    });
    const training = await compile(step, { runtime });
    await training.run({ x: float32([2], [1, 1]) });
    const good = await training.variables();
    await expect(training.run({ x: float32([2], [0, 1]) })).rejects.toThrow(
      /^training: variables must stay finite, got others in step 1\. The first value that is not finite is \w+ \(\w+\)\./,
    );
    expect(await training.variables()).toEqual(good);
    await training.release();
  });

  it("looks for what is not finite inside the loop over chunks", async () => {
    const chunked = trainStep({
      inputs: { x: { shape: [4, 3] } },
      loss: ({ x }, scope) =>
        scope.ops.reduceMean(scope.ops.log(nn.linear(2)(x!, scope.child("head"))), { keepDims: false }),
      optimizer: optim.sgd({ learningRate: 0.1 }),
      chunks: 2,
    });
    const training = await compile(chunked, { runtime });
    await training.restore({
      ...(await training.variables()),
      "head.weight": float32([2, 3], new Float32Array(6).fill(-1)),
    });
    await expect(training.run({ x: float32([4, 3], new Float32Array(12).fill(1)) })).rejects.toThrow(
      /The first value that is not finite is Log \(Log_\d+\)\./,
    );
    await training.release();
  });

  it.each([false, true])("takes batches of other sizes as they come (loop: %s)", async (loop) => {
    const small = (size: number) => {
      const { x, label } = batches[size]!;
      return {
        x: float32([size, 5], (x!.data as Float32Array).slice(0, size * 5)),
        label: int64(Array.from(label!.data as BigInt64Array, Number).slice(0, size)),
      };
    };
    const sizes = [6, 6, 2, 3, 4, 5, 6, 2];
    const training = await compile(step, { runtime, seed: 4, loop });
    const metrics = await training.runMany(sizes.map(small));
    // The same, each step by a training of that size alone.
    let variables = await (await compile(step, { runtime, seed: 4 })).variables();
    for (const [index, size] of sizes.entries()) {
      const alone = await compile(step.builder.build({ x: [size, 5], label: [size] }), { runtime, variables });
      expect((await alone.run(small(size))).loss).toEqual(metrics[index]!.loss);
      variables = await alone.variables();
      await alone.release();
    }
    expect(await training.variables()).toEqual(variables);
    await training.release();
  });

  it("keeps variables as float16 in other sizes too, and refuses them where it does not know how", async () => {
    const half = storeFloat16(step, ({ role }) => role === "slot");
    const two = { x: float32([2, 5], new Float32Array(10)), label: int64([0, 1]) };
    const training = await compile(half, { runtime });
    await training.run(two);
    await training.release();
    const changed = await compile({ ...step, program: half.program, variables: half.variables }, { runtime });
    await expect(changed.run(two)).rejects.toThrow(
      "training: batches must have the shapes the step was built for, because its program was changed afterwards, " +
        "got x [2, 5], label [2]. Build a step for these shapes too.",
    );
    await changed.release();
  });

  it("computes in a worker thread what it computes here, bit for bit", async () => {
    const here = await compile(step, { runtime, seed: 3 });
    const there = await compile(step, { runtime: await nodeRuntime({ worker: true, threads: 1 }), seed: 3 });
    expect(await there.runMany(batches)).toEqual(await here.runMany(batches));
    expect(await there.variables()).toEqual(await here.variables());
    await Promise.all([here.release(), there.release()]);
  });

  it("does what is asked one after the other, and nothing after its release", async () => {
    const training = await compile(step, { runtime, seed: 3 });
    const [first, , variables] = await Promise.all([
      training.run(batches[0]!),
      training.run(batches[1]!),
      training.variables(),
    ]);
    const other = await compile(step, { runtime, seed: 3 });
    expect(await other.runMany(batches.slice(0, 1))).toEqual([first]);
    await other.run(batches[1]!);
    expect(await other.variables()).toEqual(variables);
    await Promise.all([training.release(), other.release()]);
    await expect(training.run(batches[0]!)).rejects.toThrow("training: must not be released before it is used.");
  });

  it.each([false, true])(
    "leaves nothing held behind when it is released, nor by steps that fail (loop: %s)",
    async (loop) => {
      const { runtime: counting, held, sessions } = countingRuntime(runtime);
      const training = await compile(step, { runtime: counting, loop });
      const { x, label } = batches[0]!;
      for (const size of [6, 5, 4, 3, 2, 6]) {
        const part = {
          x: float32([size, 5], (x!.data as Float32Array).slice(0, 5 * size)),
          label: int64(new Array(size).fill(0)),
        };
        await training.runMany([part, part, part]);
      }
      await expect(
        training.run({ x: float32([6, 5], new Float32Array(30).fill(Number.NaN)), label: label! }),
      ).rejects.toThrow();
      expect(held()).toBe(step.variables.filter(({ role }) => role !== "counter").length);
      expect(sessions()).toBe(4);
      await training.release();
      expect([held(), sessions()]).toEqual([0, 0]);
    },
  );

  it("stops between steps when it is aborted", async () => {
    const training = await compile(step, { runtime });
    const controller = new AbortController();
    const running = training.runMany(batches, { signal: controller.signal });
    controller.abort(new Error("enough"));
    await expect(running).rejects.toThrow("enough");
    expect(Number((await training.variables()).step!.data[0])).toBeLessThan(batches.length);
    await expect(training.run(batches[0]!, { signal: controller.signal })).rejects.toThrow("enough");
    await training.release();
  });
});
