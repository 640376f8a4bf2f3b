import { beforeAll, expect, it } from "vitest";
import { runLayer } from "../../../test/nn/run-layer.ts";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../../test/support/engines.ts";
import type { Runtime } from "../../runtime/index.ts";
import { nodeRuntime } from "../../runtime/node.ts";
import { float32, type Random, seededRandom, toNumbers } from "../../tensor/index.ts";
import { batchNorm } from "../batch-norm.ts";

describeUnless(reasonWithoutOnnxRuntimeNode(), "range batch norm", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });

  // Scalable methods for 8-bit training: the column of 256, 1 / .917 and 1 / 1.698.
  it.each<["exact" | "reference" | "paper", number]>([
    ["exact", 1],
    ["reference", 1.09],
    ["paper", 0.59],
  ])("makes the deviation of normal numbers in 16 chunks of 256 with constant %s %d", async (constant, expected) => {
    const channels = 24;
    const random = seededRandom(8);
    const numbers = Float32Array.from({ length: 4096 * channels }, () => 2 * random.normal() - 1);
    const { y } = await runLayer(
      runtime,
      (inputs, scope) => batchNorm({ deviation: { range: 16 }, constant })(inputs.x!, scope),
      { inputs: { x: float32([4096, channels], numbers) } },
    );
    const squares = new Float64Array(channels);
    toNumbers(y).forEach((value, i) => {
      squares[i % channels]! += value ** 2 / 4096;
    });
    const mean = squares.reduce((sum, square) => sum + Math.sqrt(square), 0) / channels;
    expect(Math.abs(mean / expected - 1)).toBeLessThan(0.03);
  });

  // The same, pitfalls: what the published constant makes of numbers that are not normal; denominator / sigma of 4096.
  it.each<[string, number, (random: Random) => number]>([
    ["uniform", 0.46, (random) => random.uniform()],
    ["Laplace", 1.53, (random) => (random.uniform() < 0.5 ? 1 : -1) * Math.log(1 - random.uniform())],
    ["rectified normal", 0.82, (random) => Math.max(0, random.normal())],
  ])("divides %s numbers by %d of their deviation with the published constant", async (_, expected, draw) => {
    const channels = 64;
    const random = seededRandom(9);
    const numbers = Float32Array.from({ length: 4096 * channels }, () => draw(random));
    const { y } = await runLayer(
      runtime,
      (inputs, scope) => batchNorm({ deviation: "range", constant: "reference" })(inputs.x!, scope),
      { inputs: { x: float32([4096, channels], numbers) } },
    );
    const squares = new Float64Array(channels);
    toNumbers(y).forEach((value, i) => {
      squares[i % channels]! += value ** 2 / 4096;
    });
    const quotient = squares.reduce((sum, square) => sum + 1 / Math.sqrt(square), 0) / channels;
    // The largest of Laplace's numbers scatter; the mean of 64 channels by 2 %.
    expect(Math.abs(quotient / expected - 1)).toBeLessThan(0.05);
  });
});
