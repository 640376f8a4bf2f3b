/** Ghost batches as a layer and as chunks of a step are the same (arXiv:1705.08741, section 4.2). */
import { expect, it } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../test/support/engines.ts";
import { batchNorm, crossEntropy, linear, relu, sequential } from "../nn/index.ts";
import { sgd } from "../optim/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { int64, seededRandom, tensorOf, toNumbers } from "../tensor/index.ts";
import { compile, trainStep } from "../train/index.ts";

const [BATCH, GHOST] = [24, 6];

/** Variables after three steps; with a plain rate they are sums of gradients. */
async function trained(chunks: number, ghost: number | undefined) {
  const norm = () => batchNorm(ghost === undefined ? {} : { ghost });
  const network = sequential({
    stem: linear(7),
    first: norm(),
    act: relu(),
    middle: linear(5),
    second: norm(),
    head: linear(3),
  });
  const step = trainStep({
    inputs: { x: { shape: [BATCH, 4], dtype: "float64" }, label: { shape: [BATCH], dtype: "int64" } },
    chunks,
    dtype: "float64",
    optimizer: sgd({ learningRate: 0.5 }),
    loss: ({ x, label }, scope) => crossEntropy(network(x!, scope), label!, scope),
  });
  const training = await compile(step, { runtime: await nodeRuntime({ threads: 1 }), seed: 2 });
  const random = seededRandom(9);
  for (let i = 0; i < 3; i++) {
    const numbers = Array.from({ length: 4 * BATCH }, () => random.normal());
    await training.run({
      x: tensorOf("float64", [BATCH, 4], numbers),
      label: int64(Array.from({ length: BATCH }, () => random.integer(3))),
    });
  }
  const variables = await training.variables();
  await training.release();
  return variables;
}

describeUnless(reasonWithoutOnnxRuntimeNode(), "ghost batches", () => {
  it("are the same as a layer and as chunks: parameters and running statistics", async () => {
    const [layer, chunks, plain] = [
      await trained(1, GHOST),
      await trained(BATCH / GHOST, undefined),
      await trained(1, undefined),
    ];
    expect(Object.keys(layer).sort()).toEqual(Object.keys(chunks).sort());
    let [largest, control] = [0, 0];
    for (const [path, tensor] of Object.entries(layer)) {
      const [other, whole] = [toNumbers(chunks[path]!), toNumbers(plain[path]!)];
      toNumbers(tensor).forEach((value, i) => {
        largest = Math.max(largest, Math.abs(value - other[i]!));
        control = Math.max(control, Math.abs(value - whole[i]!));
      });
    }
    // Doubles through three steps; the specification asks for 1e-5.
    expect(largest).toBeLessThan(1e-10);
    // The whole batch as one group is something else.
    expect(control).toBeGreaterThan(1e-3);
  });
});
