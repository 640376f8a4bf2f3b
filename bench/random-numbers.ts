/**
 * What a random number of a step costs: made in the graph, made by ONNX Runtime's own operator, made on the host and fed.
 *
 *   npx tsx bench/random-numbers.ts
 *
 * Prints nanoseconds per element, the lower quartile of 15 runs, for 1 and 2 threads. The result of each program is one
 * number, so that no output is copied.
 */
import { Ops } from "../src/build/index.ts";
import { lowerProgram } from "../src/lower/index.ts";
import { writeModel } from "../src/onnx/index.ts";
import { Program, type Value } from "../src/program/index.ts";
import { nodeRuntime } from "../src/runtime/node.ts";
import { float32, int64, seededRandom, type Tensor } from "../src/tensor/index.ts";
import { seededValues } from "../src/train/seeded-values.ts";

const RUNS = 15;

/** Runs `build` over tensors of the shape, with new feeds each time, and returns nanoseconds per element. */
async function measure(
  threads: number,
  shape: readonly number[],
  build: (ops: Ops) => Value,
  feedsOf: (run: number) => Record<string, Tensor>,
): Promise<number> {
  const ops = new Ops();
  const result = ops.reduceSum(build(ops), { keepDims: false });
  ops.writer.graph.outputs.push(result);
  const program = new Program(ops.writer.graph, ops.writer.opsets);
  lowerProgram(program, { device: "cpu" });
  const session = await (await nodeRuntime({ threads })).createSession(writeModel(program));
  const times: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const start = performance.now();
    await session.run(feedsOf(run));
    times.push(performance.now() - start);
  }
  await session.release();
  const count = shape.reduce((a, b) => a * b, 1);
  return (times.sort((a, b) => a - b)[Math.floor(RUNS / 4)]! * 1e6) / count;
}

const counters = (run: number) => ({ seed: int64([1], []), place: int64([run], []) });
const seeded = (kind: "uniform" | "normal", shape: readonly number[]) => (ops: Ops) => {
  const source = { seed: ops.input("seed", "int64", []), place: ops.input("place", "int64", []), calls: { next: 0 } };
  return seededValues(ops, source)[kind](shape);
};

for (const shape of [
  [128, 512],
  [1024, 1024],
  [64, 64, 32, 32],
]) {
  // biome-ignore format: a list
  for (const threads of [1, 2]) {
    const generator = seededRandom(1);
    const noise = new Float32Array(shape.reduce((a, b) => a * b, 1));
    const fed = (draw: () => number) => () => {
      for (let i = 0; i < noise.length; i++) noise[i] = draw();
      return { x: float32(shape, noise) };
    };
    const input = (ops: Ops) => ops.input("x", "float32", shape);
    const sumAlone = await measure(threads, shape, input, () => ({ x: float32(shape, noise) }));
    const row = {
      "uniform in the graph": await measure(threads, shape, seeded("uniform", shape), counters),
      "normal in the graph": await measure(threads, shape, seeded("normal", shape), counters),
      RandomUniformLike: await measure(
        threads,
        shape,
        (ops) => ops.emit("RandomUniformLike", [input(ops)]),
        () => ({ x: float32(shape, noise) }),
      ),
      "uniform from the host": await measure(threads, shape, input, fed(generator.uniform)),
      "normal from the host": await measure(threads, shape, input, fed(generator.normal)),
    };
    const text = Object.entries(row).map(([name, ns]) => `${name} ${(ns - sumAlone).toFixed(1)}`);
    console.log(`[${shape.join(", ")}], ${threads} threads, ns per element: ${text.join("; ")}`);
  }
}
