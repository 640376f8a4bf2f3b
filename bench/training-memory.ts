/**
 * Does memory grow while training? Resident memory of the process over 5,000 steps of a small convnet with dropout and Adam.
 *
 *   npx tsx bench/training-memory.ts [--steps 5000] [--device cpu] [--worker] [--loop]
 *
 * Prints resident memory after each tenth of the run, in MiB, garbage collected first: V8 lets garbage lie while there is
 * room, which looks like growth and is none. Exits with 1 if the last is over 8 MiB above the third: by then caches and
 * allocators have what they keep.
 */
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { compile, type Device, nn, optim, Tensor, trainStep } from "../src/index.ts";
import { nodeRuntime } from "../src/runtime/node.ts";
import { seededRandom } from "../src/tensor/index.ts";

const { values } = parseArgs({
  options: {
    steps: { type: "string", default: "5000" },
    device: { type: "string", default: "cpu" },
    worker: { type: "boolean", default: false },
    loop: { type: "boolean", default: false },
  },
});
const steps = Number(values.steps);
const { loop, worker } = values;
const BATCH = 16;
const ALLOWED_GROWTH_MIB = 8;

const model = nn.sequential([
  nn.conv({ channels: 16, kernel: 3, padding: 1 }),
  nn.batchNorm(),
  nn.relu(),
  nn.maxPool({ kernel: 2 }),
  nn.dropout(0.2),
  nn.flatten(),
  nn.linear(10),
]);
const step = trainStep({
  inputs: { x: { shape: [BATCH, 3, 16, 16] }, label: { shape: [BATCH], dtype: "int32" } },
  loss: ({ x, label }, scope) => nn.crossEntropy(model(x!, scope), label!, scope),
  optimizer: optim.adam({ learningRate: 1e-3 }),
});
const runtime = await nodeRuntime({ device: values.device as Device, worker });
const training = await compile(step, { runtime, loop });
const random = seededRandom(1);
const perCall = loop ? 10 : 1;
setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;
const resident: number[] = [];
for (let taken = 0; taken < steps; taken += perCall) {
  // New arrays each time, as data pipelines make them.
  const batches = Array.from({ length: perCall }, () => ({
    x: new Tensor(
      "float32",
      [BATCH, 3, 16, 16],
      Float32Array.from({ length: BATCH * 768 }, () => random.uniform()),
    ),
    label: new Tensor(
      "int32",
      [BATCH],
      Int32Array.from({ length: BATCH }, () => random.integer(10)),
    ),
  }));
  await training.runMany(batches);
  if (Math.floor((10 * (taken + perCall)) / steps) === resident.length) continue;
  collectGarbage();
  resident.push(process.memoryUsage.rss() / 2 ** 20);
}
await training.release();
console.log(`resident MiB over ${steps} steps on ${values.device}: ${resident.map((mib) => mib.toFixed(0)).join(" ")}`);
if (resident[9]! - resident[2]! > ALLOWED_GROWTH_MIB) process.exitCode = 1;
