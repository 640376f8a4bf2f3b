/**
 * Somebody else's classifier learns another task: gradients through an imported ONNX model, with a new head of ten classes.
 *
 *   npx tsx experiments/training/fine-tune.ts path/to/resnet20-cifar10.onnx path/to/fashion-mnist --limit 6400
 *
 * Prints the test accuracy after the same number of steps with the imported weights frozen (only the head learns) and with
 * all of the model learning.
 */
import { parseArgs } from "node:util";
import { limitSamples, sampleBatches, stackSamples, trainingBatches } from "../../src/data/index.ts";
import { openDataset, readModelFile } from "../../src/files/index.ts";
import { compile, exportOnnx, importOnnx, nn, optim, trainStep } from "../../src/index.ts";
import { nodeRuntime } from "../../src/runtime/node.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    epochs: { type: "string", default: "1" },
    batch: { type: "string", default: "64" },
    rate: { type: "string", default: "0.02" },
    limit: { type: "string", default: "6400" },
    seed: { type: "string", default: "0" },
  },
});
const [modelPath, dataPath] = positionals;
if (modelPath === undefined || dataPath === undefined) throw new Error("give a model and a folder of pictures");
const [epochs, batchSize, limit, seed] = [values.epochs, values.batch, values.limit, values.seed].map(Number) as [
  number,
  number,
  number,
  number,
];

const loaded = await readModelFile(modelPath);
const imported = importOnnx(loaded.program);
if (imported.features === undefined) throw new Error(`${modelPath} has no layer that a new head could replace`);
const [input] = loaded.inputs;
const open = (split: "train" | "test") => openDataset(dataPath, { inputs: loaded.inputs, modelPath, split });
const train = limitSamples(await open("train"), limit, seed);
const test = limitSamples(await open("test"), limit, seed);
const { shape } = Object.values(await train.sample(0))[0]!;
const runtime = await nodeRuntime();
console.log(`${imported.weights.length} weights, new head on "${imported.features}"; ${train.description}`);

for (const learns of ["head", "all"] as const) {
  const features = imported.layer({ output: imported.features, trainable: () => learns === "all" });
  const pool = imported.program.graph.nodes
    .flatMap((node) => node.outputs)
    .find((value) => value?.name === imported.features)!.shape!.length;
  const model = nn.sequential({
    body: features,
    ...(pool > 2 ? { pool: nn.globalAveragePool() } : {}),
    flat: nn.flatten(),
    head: nn.linear(10),
  });
  const step = trainStep({
    inputs: { image: { shape: [batchSize, ...shape] }, label: { shape: [batchSize], dtype: "int64" } },
    loss: ({ image, label }, scope) => nn.crossEntropy(model(image!, scope), label!, scope),
    optimizer: optim.sgd({ learningRate: Number(values.rate), momentum: 0.9 }),
  });
  const started = performance.now();
  const training = await compile(step, { runtime, seed });
  let last = Number.NaN;
  for (let epoch = 0; epoch < epochs; epoch++) {
    for await (const { label, ...arrays } of trainingBatches(train, { batchSize, epoch, seed })) {
      const { loss } = await training.run({ image: Object.values(arrays)[0]!, label: label! });
      last = Number(loss!.data[0]);
    }
  }
  const seconds = (performance.now() - started) / 1000;
  const variables = await training.variables();
  await training.release();
  const exported = exportOnnx({
    inputs: { [input!.name]: { shape: ["batch", ...shape] } },
    outputs: (inputs, scope) => ({ logits: model(inputs[input!.name]!, scope) }),
    variables,
  });
  const session = await runtime.createSession(exported);
  let right = 0;
  for await (const { start, samples } of sampleBatches(test, 100)) {
    const { logits } = await session.run({ [input!.name]: Object.values(stackSamples(samples))[0]! });
    const scores = logits!.data as Float32Array;
    samples.forEach((_, index) => {
      const row = scores.subarray(index * 10, index * 10 + 10);
      if (row.indexOf(Math.max(...row)) === test.labels![start + index]) right++;
    });
  }
  await session.release();
  const share = right / test.count;
  const deviation = Math.sqrt((share * (1 - share)) / test.count);
  console.log(
    `${learns} learns: loss ${last.toFixed(3)}, test accuracy ${(100 * share).toFixed(1)} +- ${(100 * deviation).toFixed(1)} % of ` +
      `${test.count}, ${epochs} epochs of ${train.count} in ${seconds.toFixed(0)} s, seed ${seed}`,
  );
}
