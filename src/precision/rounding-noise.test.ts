import { beforeAll, expect, it } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../test/support/engines.ts";
import { Ops } from "../build/index.ts";
import type { Runtime } from "../runtime/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { float32, type Tensor, toNumbers } from "../tensor/index.ts";
import { roundToGrid } from "./grid.ts";
import { compute, fedRandom, meanOf } from "./precision.cases.ts";
import { tensorRange } from "./ranges.ts";
import { RoundingNoise } from "./rounding-noise.ts";

/** Shapes of the random numbers that tensors of these shapes ask for, and of the noise they get. */
function shapesFor(shapes: readonly (readonly number[])[]) {
  const ops = new Ops();
  const asked: (readonly number[])[] = [];
  const uniform = (shape: readonly number[]) => {
    asked.push(shape);
    return ops.input(`random${asked.length}`, "float32", shape);
  };
  const noise = new RoundingNoise({ uniform, normal: uniform });
  return { given: shapes.map((shape) => ops.shapeOf(noise.of(ops, shape, "float32"))), asked };
}

it("RoundingNoise shares one pool between tensors, and their examples", () => {
  const { given, asked } = shapesFor([[100, 128], [100, 2048], [7], [6, 8192]]);
  expect(given).toEqual([[50, 128], [4, 2048], [7], [1, 8192]]);
  expect(asked).toEqual([[2 ** 16]]);
});

it("RoundingNoise has numbers of their own for large examples", () => {
  const { given, asked } = shapesFor([
    [10, 2 ** 15],
    [3, 2 ** 17],
  ]);
  expect(given).toEqual([
    [1, 2 ** 15],
    [1, 2 ** 17],
  ]);
  expect(asked).toEqual(given);
});

describeUnless(reasonWithoutOnnxRuntimeNode(), "RoundingNoise", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });

  /** Noise of several tensors of one shape. */
  async function draw(shape: readonly number[], tensors: number, seed: number): Promise<Tensor[]> {
    const { outputs } = await compute(runtime, (ops, input) => {
      const noise = new RoundingNoise(fedRandom(input, seed));
      return Array.from({ length: tensors }, () => noise.of(ops, shape, "float32"));
    });
    return [...outputs];
  }

  it("is uniform in [-1/2, 1/2), and not the same for two tensors", async () => {
    const [first, second] = (await draw([64, 128], 2, 1)).map((tensor) => Array.from(toNumbers(tensor)));
    for (const numbers of [first!, second!]) {
      expect(Math.min(...numbers)).toBeGreaterThanOrEqual(-0.5);
      expect(Math.max(...numbers)).toBeLessThan(0.5);
      const { mean, error, variance } = meanOf(numbers);
      expect(Math.abs(mean)).toBeLessThan(4 * error);
      expect(variance * 12).toBeCloseTo(1, 1);
    }
    const products = meanOf(first!.map((number, i) => number * second![i]!));
    expect(Math.abs(products.mean)).toBeLessThan(4 * products.error);
  });

  it("leaves every rounding right in the mean, whoever shares its noise", async () => {
    // 64 examples of 1024 numbers share the noise of 8; each number is 0.3 steps above a code.
    const draws = 60;
    const sums = new Float64Array(64 * 1024);
    for (let seed = 0; seed < draws; seed++) {
      const { outputs } = await compute(runtime, (ops, input) => {
        const numbers = new Float32Array(64 * 1024).fill(10.3);
        numbers.set([0, 255]);
        const x = input(float32([64, 1024], numbers));
        const noise = new RoundingNoise(fedRandom(input, seed)).of(ops, [64, 1024], "float32");
        return [roundToGrid(ops, x, tensorRange(ops, x), { kind: "zero", bits: 8, noise })];
      });
      toNumbers(outputs[0]!).forEach((number, i) => {
        sums[i]! += number / draws;
      });
    }
    // One number's mean over 60 draws has a standard error of sqrt(.21 / 60) = .059; of 65 thousand none is off by 5.5 of them.
    for (const mean of sums.subarray(2)) expect(Math.abs(mean - 10.3)).toBeLessThan(5.5 * 0.0592);
    // Of 8192 independent ones the mean has a standard error of .00065.
    expect(Math.abs(meanOf(sums.subarray(2)).mean - 10.3)).toBeLessThan(3 * 0.00066);
  });
});
