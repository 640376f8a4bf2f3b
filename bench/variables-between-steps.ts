/**
 * What handing variables from step to step costs on CPU: one by one, in a worker thread, ten steps in one Loop; and what given
 * memory for outputs saves.
 *
 *   npx tsx bench/variables-between-steps.ts
 *
 * Prints milliseconds per step, medians of runs that take turns, for a small and a large MLP with momentum.
 */
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { Ops } from "../src/build/index.ts";
import { compile, nn, optim, Tensor, trainStep } from "../src/index.ts";
import { writeModel } from "../src/onnx/index.ts";
import { Program } from "../src/program/index.ts";
import { nodeRuntime } from "../src/runtime/node.ts";
import { UNCONVERTIBLE, withUnconvertibleOutput } from "../src/runtime/unconvertible-output.ts";
import { seededRandom } from "../src/tensor/index.ts";

const LOOP = 10;

/** Runs each in turn and returns the median milliseconds per step of each. */
async function medians(
  lanes: Readonly<Record<string, { readonly steps: number; run(): Promise<unknown> }>>,
  rounds: number,
): Promise<string> {
  const times = new Map(Object.keys(lanes).map((name) => [name, [] as number[]]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, { steps, run }] of Object.entries(lanes)) {
      const start = performance.now();
      await run();
      times.get(name)!.push((performance.now() - start) / steps);
    }
  }
  return [...times].map(([name, all]) => `${name} ${all.sort((a, b) => a - b)[rounds >> 1]!.toFixed(2)}`).join(", ");
}

async function mlp(widths: readonly number[], batch: number, rounds: number): Promise<void> {
  const layers = widths.flatMap((width, index) =>
    index < widths.length - 1 ? [nn.linear(width), nn.relu()] : [nn.linear(width)],
  );
  const model = nn.sequential(layers);
  const step = trainStep({
    inputs: { x: { shape: [batch, 784] }, label: { shape: [batch], dtype: "int32" } },
    loss: ({ x, label }, scope) => nn.crossEntropy(model(x!, scope), label!, scope),
    optimizer: optim.sgd({ learningRate: 0.01, momentum: 0.9 }),
  });
  const random = seededRandom(1);
  const x = Float32Array.from({ length: batch * 784 }, () => random.uniform());
  const label = Int32Array.from({ length: batch }, () => random.integer(10));
  const feeds = { x: new Tensor("float32", [batch, 784], x), label: new Tensor("int32", [batch], label) };
  const one = await compile(step, { runtime: await nodeRuntime() });
  const worker = await compile(step, { runtime: await nodeRuntime({ worker: true }) });
  const loop = await compile(step, { runtime: await nodeRuntime(), loop: true });
  const lanes = {
    "one by one": { steps: 1, run: () => one.run(feeds) },
    "in a worker": { steps: 1, run: () => worker.run(feeds) },
    [`${LOOP} in a loop`]: { steps: LOOP, run: () => loop.runMany(new Array(LOOP).fill(feeds)) },
  };
  console.log(`MLP 784-${widths.join("-")}, batch ${batch}, ms per step: ${await medians(lanes, rounds)}`);
  await Promise.all([one.release(), worker.release(), loop.release()]);
}

/** One addition over 24 MiB whose output is new, given and copied all the same, or given and left where it is. */
async function preallocation(): Promise<void> {
  const count = 6 * 2 ** 20;
  const ops = new Ops();
  const sum = ops.add(ops.input("x", "float32", [count]), 1);
  sum.name = "y";
  ops.writer.graph.outputs.push(sum);
  const model = writeModel(new Program(ops.writer.graph, [["", ops.writer.opset]]));
  const session = await InferenceSession.create(model.bytes);
  const refusing = await InferenceSession.create(withUnconvertibleOutput(model).bytes);
  const [x, y] = [0, 1].map(() => new OrtTensor("float32", new Float32Array(count), [count]));
  const lanes = {
    new: { steps: 1, run: () => session.run({ x: x! }) },
    given: { steps: 1, run: () => session.run({ x: x! }, { y: y! }) },
    "given, not copied": {
      steps: 1,
      run: () => refusing.run({ x: x! }, { [UNCONVERTIBLE]: null, y: y! }).catch(() => {}),
    },
  };
  console.log(`an addition over 24 MiB, ms, output ${await medians(lanes, 31)}`);
  await Promise.all([session.release(), refusing.release()]);
}

await mlp([256, 10], 64, 100);
await mlp([2048, 2048, 10], 512, 9);
await preallocation();
