/**
 * How much memory and time does a step take in chunks? Four convolutions of 32 channels with batch norm on 256 pictures.
 *
 *   npx tsx bench/training-chunks.ts 4
 *
 * Prints the highest resident memory of the process in MiB and the median milliseconds per step; run it once per number of
 * chunks.
 */
import { compile, nn, optim, trainStep, zeros } from "../src/index.ts";
import { nodeRuntime } from "../src/runtime/node.ts";

const chunks = Number(process.argv[2] ?? 1);
const BATCH = 256;
const block = () => [nn.conv({ channels: 32, kernel: 3, padding: 1 }), nn.batchNorm(), nn.relu()];
const model = nn.sequential([...[0, 1, 2, 3].flatMap(block), nn.globalAveragePool(), nn.flatten(), nn.linear(10)]);
const step = trainStep({
  inputs: { x: { shape: [BATCH, 3, 32, 32] }, label: { shape: [BATCH], dtype: "int32" } },
  loss: ({ x, label }, scope) => nn.crossEntropy(model(x!, scope), label!, scope),
  optimizer: optim.sgd({ learningRate: 1e-2 }),
  chunks,
});
const training = await compile(step, { runtime: await nodeRuntime() });
const batch = { x: zeros("float32", [BATCH, 3, 32, 32]), label: zeros("int32", [BATCH]) };
const times: number[] = [];
for (let i = 0; i < 7; i++) {
  const start = performance.now();
  await training.run(batch);
  times.push(performance.now() - start);
}
await training.release();
const median = times.sort((a, b) => a - b)[3]!;
const peak = process.resourceUsage().maxRSS / 1024;
console.log(`${chunks} chunks: at most ${peak.toFixed(0)} MiB resident, ${median.toFixed(0)} ms per step`);
