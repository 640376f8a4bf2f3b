/** Steps in 8 bits with what else a step may have, one by one. */
import { beforeAll, expect, it } from "vitest";
import {
  compile,
  exportOnnx,
  importOnnx,
  int8,
  type Layer,
  nn,
  optim,
  type Runtime,
  storeFloat16,
  type Tensor,
  type TrainStepOptions,
  trainStep,
} from "../../src/index.ts";
import { nodeRuntime } from "../../src/runtime/node.ts";
import { float32, seededRandom, tensorOf, toNumbers } from "../../src/tensor/index.ts";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../support/engines.ts";

const BATCH = 24;

const mlp = nn.sequential({
  first: nn.linear(20),
  act: nn.relu(),
  second: nn.linear(16),
  act2: nn.relu(),
  head: nn.linear(3),
});

const loss =
  (network: Layer): TrainStepOptions["loss"] =>
  ({ x, label }, scope) =>
    nn.crossEntropy(network(x!, scope), label!, scope);

const inputs = { x: { shape: [BATCH, 6] }, label: { shape: [BATCH], dtype: "int64" } } as const;

const options: TrainStepOptions = {
  inputs,
  loss: loss(mlp),
  optimizer: optim.sgd({ learningRate: 0.1, momentum: 0.9 }),
  precision: int8({ activations: { range: "delayed" }, weightGradients: 16 }),
};

function batchOf(rows = BATCH): Record<string, Tensor> {
  const random = seededRandom(2);
  const x = Float32Array.from({ length: rows * 6 }, () => random.normal());
  const labels = Array.from({ length: rows }, (_, i) => (x[6 * i]! > 0 ? 1 : 0) + (x[6 * i + 1]! > 0.3 ? 1 : 0));
  return { x: float32([rows, 6], x), label: tensorOf("int64", [rows], labels) };
}

describeUnless(reasonWithoutOnnxRuntimeNode(), "steps in 8 bits", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });

  async function losses(step: ReturnType<typeof trainStep>, steps: number, batches = [batchOf()]): Promise<number[]> {
    const training = await compile(step, { runtime, seed: 2 });
    const found: number[] = [];
    for (let i = 0; i < steps; i++) found.push(toNumbers((await training.run(batches[i % batches.length]!)).loss!)[0]!);
    await training.release();
    return found;
  }

  it("are the same inside a loop of the engine", async () => {
    const step = trainStep(options);
    const training = await compile(step, { runtime, seed: 2, loop: true });
    const many = await training.runMany(Array.from({ length: 6 }, () => batchOf()));
    await training.release();
    expect(many.map((metrics) => toNumbers(metrics.loss!)[0])).toEqual(await losses(step, 6));
  });

  it("take a smaller last batch", async () => {
    const found = await losses(trainStep(options), 40, [batchOf(), batchOf(10), batchOf(7)]);
    expect(found.every(Number.isFinite)).toBe(true);
    expect(found[36]).toBeLessThan(0.4 * found[0]!);
  });

  it.each<[string, Partial<TrainStepOptions>]>([
    [
      "a moving average of the weights",
      { optimizer: optim.averaged(optim.sgd({ learningRate: 0.1, momentum: 0.9 }), { decay: 0.9 }) },
    ],
    ["clipped gradients", { optimizer: optim.clipByNorm(optim.sgd({ learningRate: 0.1, momentum: 0.9 }), 1) }],
    ["Adam", { optimizer: optim.adam({ learningRate: 0.01 }) }],
    [
      "a frozen layer",
      {
        optimizer: optim.sgd({
          learningRate: 0.1,
          momentum: 0.9,
          groups: [{ match: (path) => path.startsWith("first."), frozen: true }],
        }),
      },
    ],
    ["parts of the batch", { chunks: 3 }],
    [
      "weights that are normalized",
      { loss: loss(nn.sequential({ first: nn.weightNorm(nn.linear(20)), act: nn.relu(), head: nn.linear(3) })) },
    ],
  ])("learn with %s", async (_, more) => {
    const step = trainStep({ ...options, ...more });
    expect(step.precision!.float).toEqual([]);
    const found = await losses(step, 60);
    expect(found[59]).toBeLessThan(0.5 * found[0]!);
    expect(await losses(step, 3)).toEqual(found.slice(0, 3));
  });

  it("keep slots in float16", async () => {
    const found = await losses(
      storeFloat16(trainStep(options), ({ role }) => role === "slot"),
      60,
    );
    expect(found[59]).toBeLessThan(0.5 * found[0]!);
  });

  it("learn with an imported model", async () => {
    const training = await compile(trainStep({ ...options, precision: undefined }), { runtime });
    const file = exportOnnx({
      inputs: { x: { shape: ["batch", 6] } },
      outputs: ({ x }, scope) => ({ logits: mlp(x!, scope) }),
      variables: await training.variables(),
    });
    await training.release();
    const imported = importOnnx(file.bytes);
    const step = trainStep({ ...options, loss: loss(imported.layer()) });
    expect(step.precision!.quantized).toHaveLength(3);
    const found = await losses(step, 60);
    expect(found[59]).toBeLessThan(0.5 * found[0]!);
  });

  it("leave their precision where a step is built for other shapes", () => {
    const built = trainStep(options).builder.build({ x: [5, 6], label: [5] });
    expect(built.precision!.quantized).toHaveLength(3);
    expect(built.variables.map(({ path }) => path)).toContain("second.inputRangeJumps");
  });
});
