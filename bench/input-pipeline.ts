/**
 * Does a training step wait for its data? Steps fed by `openTrainingData` and `trainingBatches`, against the same steps fed
 * with one batch that lies in memory, in turn.
 *
 *   npx tsx bench/input-pipeline.ts path/to/mnist path/to/cifar-10
 *   npx tsx bench/input-pipeline.ts path/to/mnist path/to/cifar-10 --rounds 1000 --json
 *
 * Each round times a block of steps of each kind, their order alternating; the ratio is the median over rounds of the two
 * block times of a round, so that what else the machine does strikes both. On a busy machine the fastest tenth of the blocks of
 * each kind says more: the ratio of the two deciles is printed too.
 */
import { parseArgs } from "node:util";
import type { Layer } from "../src/build/index.ts";
import { type Augmentation, cropAndFlip, type TrainingData, trainingBatches } from "../src/data/index.ts";
import { openTrainingData } from "../src/files/index.ts";
import { compile, float32, nn, optim, type Tensor, type Training, trainStep } from "../src/index.ts";
import { findModel } from "../src/models/index.ts";
import { nodeRuntime } from "../src/runtime/node.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string" },
    only: { type: "string" },
    worker: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const [mnist, cifar] = positionals;
if (mnist === undefined || cifar === undefined) throw new Error("give the folders of MNIST and of CIFAR-10");

interface Case {
  readonly name: string;
  readonly data: string;
  readonly model: Layer;
  readonly batchSize: number;
  readonly augment: readonly Augmentation[];
  readonly stepsPerBlock: number;
  readonly rounds: number;
}

const cases: readonly Case[] = [
  {
    name: "mlp-256, MNIST, batch 64",
    data: `mnist:${mnist}`,
    model: nn.sequential([nn.flatten(), nn.linear(256), nn.relu(), nn.linear(10)]),
    batchSize: 64,
    augment: [],
    stepsPerBlock: 50,
    rounds: 400,
  },
  {
    name: "resnet-20, CIFAR-10, batch 128, crop and flip",
    data: `cifar10:${cifar}`,
    model: findModel("resnet20").build({ classes: 10 }),
    batchSize: 128,
    augment: [cropAndFlip()],
    stepsPerBlock: 1,
    rounds: 60,
  },
];

const results = [];
for (const one of cases) {
  if (values.only !== undefined && !one.name.startsWith(values.only)) continue;
  const result = await measure(one, Number(values.rounds ?? one.rounds));
  results.push(result);
  if (!values.json) {
    console.log(
      `${result.name}: ${result.fedMs.toFixed(3)} ms a step fed, ${result.inMemoryMs.toFixed(3)} ms in memory, ` +
        `ratio ${result.ratio.toFixed(3)} (quartiles ${result.quartiles.map((q) => q.toFixed(3)).join(" to ")}), ` +
        `of fastest tenths ${result.fastestTenths.toFixed(3)}; ${result.rounds} rounds of ${one.stepsPerBlock} steps`,
    );
  }
}
if (values.json) console.log(JSON.stringify({ node: process.version, worker: values.worker, results }));

async function measure({ name, data: specification, model, batchSize, augment, stepsPerBlock }: Case, rounds: number) {
  const data = await openTrainingData(specification);
  const training = await makeTraining(data, model, batchSize);
  const batches = endless(data, batchSize, augment);
  // A batch of its own: what the pipeline gives is used again.
  const held = (await endless(data, batchSize, augment).next()).value;
  const blocks = {
    fed: async () => {
      for (let i = 0; i < stepsPerBlock; i++) await training.run((await batches.next()).value);
    },
    inMemory: async () => {
      for (let i = 0; i < stepsPerBlock; i++) await training.run(held);
    },
  };
  for (const block of Object.values(blocks)) await block(); // warm-up
  const fed: number[] = [];
  const inMemory: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const timeFed = async () => fed.push(await time(blocks.fed, stepsPerBlock));
    const timeInMemory = async () => inMemory.push(await time(blocks.inMemory, stepsPerBlock));
    for (const timeOne of round % 2 === 0 ? [timeFed, timeInMemory] : [timeInMemory, timeFed]) await timeOne();
  }
  await batches.return(undefined as never);
  await training.release();
  const ratios = fed.map((ms, round) => ms / inMemory[round]!);
  const quartiles = [quantile(ratios, 0.25), quantile(ratios, 0.75)];
  return {
    name,
    rounds,
    fedMs: quantile(fed, 0.5),
    inMemoryMs: quantile(inMemory, 0.5),
    ratio: quantile(ratios, 0.5),
    quartiles,
    fastestTenths: quantile(fed, 0.1) / quantile(inMemory, 0.1),
  };
}

async function makeTraining(data: TrainingData, model: Layer, batchSize: number): Promise<Training> {
  const { scale, mean, std } = data.normalization!;
  // (x * scale - mean) / std as one product and one sum, channel by channel.
  const factor = std.map((deviation) => scale / deviation);
  const shift = mean.map((value, channel) => -value / std[channel]!);
  const step = trainStep({
    inputs: {
      x: { shape: [batchSize, ...data.sampleShape], dtype: data.dtype },
      label: { shape: [batchSize], dtype: "int64" },
    },
    loss: ({ x, label }, scope) => {
      const { ops } = scope;
      const perChannel = (numbers: readonly number[]) => ops.constant(float32([1, numbers.length, 1, 1], numbers));
      const pixels = ops.cast(x!, "float32");
      const normalized = ops.add(ops.mul(pixels, perChannel(factor)), perChannel(shift));
      return nn.crossEntropy(model(normalized, scope), label!, scope);
    },
    optimizer: optim.sgd({ learningRate: 0.01, momentum: 0.9 }),
  });
  return compile(step, { runtime: await nodeRuntime({ worker: values.worker }), seed: 1 });
}

async function* endless(
  data: TrainingData,
  batchSize: number,
  augment: readonly Augmentation[],
): AsyncGenerator<Record<string, Tensor>, never> {
  for (let epoch = 0; ; epoch++) yield* trainingBatches(data.train, { batchSize, epoch, augment });
}

async function time(block: () => Promise<void>, steps: number): Promise<number> {
  const began = performance.now();
  await block();
  return (performance.now() - began) / steps;
}

function quantile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)]!;
  return below + (at - Math.floor(at)) * (sorted[Math.ceil(at)]! - below);
}
