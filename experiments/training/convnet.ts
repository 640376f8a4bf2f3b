/**
 * A convnet built from layers learns Fashion-MNIST or CIFAR-10, on the CPU, in WASM or on WebGPU, from the same source.
 *
 *   npx tsx experiments/training/convnet.ts path/to/fashion-mnist --epochs 2
 *   npx tsx experiments/training/convnet.ts path/to/cifar-10 --network resnet20 --augment --epochs 10
 *   npx tsx experiments/training/convnet.ts path/to/fashion-mnist --device wasm --limit 6000
 *
 * Networks are those of docs/models.md. Prints the loss while it goes, then the accuracy on the test pictures of the exported model.
 */
import { parseArgs } from "node:util";
import { cropAndFlip, limitSamples, sampleBatches, stackSamples, trainingBatches } from "../../src/data/index.ts";
import { openDataset } from "../../src/files/index.ts";
import {
  compile,
  type Dataset,
  type Device,
  exportOnnx,
  findModel,
  nn,
  optim,
  type Runtime,
  trainStep,
} from "../../src/index.ts";
import { nodeRuntime } from "../../src/runtime/node.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    device: { type: "string", default: "cpu" },
    network: { type: "string", default: "small-convnet" },
    epochs: { type: "string", default: "1" },
    batch: { type: "string", default: "128" },
    rate: { type: "string", default: "0.1" },
    limit: { type: "string" },
    seed: { type: "string", default: "0" },
    augment: { type: "boolean", default: false },
  },
});
const [folder] = positionals;
if (folder === undefined) throw new Error("give the folder of Fashion-MNIST (IDX files) or CIFAR-10 (binary version)");
const [epochs, batchSize, seed] = [values.epochs, values.batch, values.seed].map(Number) as [number, number, number];
const model = findModel(values.network).build({ classes: 10 });

const limit = values.limit === undefined ? undefined : Number(values.limit);
const train = limitSamples(await openPictures(folder, "train"), limit, seed);
const test = limitSamples(await openPictures(folder, "test"), limit, seed);
const [picture] = Object.entries(await train.sample(0));
const shape = picture![1].shape;
const stepsPerEpoch = Math.floor(train.count / batchSize);

const step = trainStep({
  inputs: { image: { shape: [batchSize, ...shape] }, label: { shape: [batchSize], dtype: "int64" } },
  loss: ({ image, label }, scope) => {
    const logits = model(image!, scope);
    return { loss: nn.crossEntropy(logits, label!, scope), accuracy: nn.accuracy(logits, label!, scope) };
  },
  optimizer: optim.sgd({
    learningRate: optim.cosine({ learningRate: Number(values.rate), steps: epochs * stepsPerEpoch }),
    momentum: 0.9,
    weightDecay: 5e-4,
  }),
});
const runtime = await nodeRuntime({ device: values.device as Device });
const began = performance.now();
const training = await compile(step, { runtime, seed });
console.log(`compiled in ${(performance.now() - began).toFixed(0)} ms`);
const started = performance.now();
for (let epoch = 0, steps = 0; epoch < epochs; epoch++) {
  const augment = values.augment ? { augment: cropAndFlip() } : {};
  for await (const batch of trainingBatches(train, { batchSize, epoch, seed, ...augment })) {
    const { loss, accuracy } = await training.run({ image: batch[picture![0]]!, label: batch.label! });
    if (steps++ % 50 === 0) {
      const rate = (1000 * steps) / (performance.now() - started);
      console.log(
        `epoch ${epoch} step ${steps} loss ${Number(loss!.data[0]).toFixed(4)} accuracy ${Number(accuracy!.data[0]).toFixed(3)}, ${rate.toFixed(2)} steps/s`,
      );
    }
  }
}
const variables = await training.variables();
await training.release();
const share = await accuracyOn(test, runtime);
const deviation = Math.sqrt((share * (1 - share)) / test.count);
console.log(
  `${train.description}: ${values.network} network, ${epochs} epochs, seed ${seed}, ${runtime.description} ${values.device}: test accuracy ` +
    `${(100 * share).toFixed(2)} +- ${(100 * deviation).toFixed(2)} % of ${test.count}, ${((performance.now() - started) / 1000).toFixed(0)} s`,
);

function openPictures(path: string, split: "train" | "test"): Promise<Dataset> {
  const side = /cifar/i.test(path) ? [3, 32, 32] : [1, 28, 28];
  return openDataset(path, { inputs: [{ name: "image", dtype: "float32", shape: [null, ...side] }] as never, split });
}

async function accuracyOn(dataset: Dataset, on: Runtime): Promise<number> {
  const exported = exportOnnx({
    inputs: { image: { shape: ["batch", ...shape] } },
    outputs: ({ image }, scope) => ({ logits: model(image!, scope) }),
    variables,
  });
  const session = await on.createSession(exported);
  let right = 0;
  for await (const { start, samples } of sampleBatches(dataset, 100)) {
    const { logits } = await session.run({ image: stackSamples(samples)[picture![0]]! });
    const scores = logits!.data as Float32Array;
    samples.forEach((_, index) => {
      const row = scores.subarray(index * 10, index * 10 + 10);
      if (row.indexOf(Math.max(...row)) === dataset.labels![start + index]) right++;
    });
  }
  await session.release();
  return right / dataset.count;
}
