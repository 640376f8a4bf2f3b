import { beforeAll, expect, it } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../test/support/engines.ts";
import type { Runtime } from "../runtime/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { float32, seededRandom } from "../tensor/index.ts";
import { cosineBound, predictedCosine, tensorCosine } from "./angles.ts";
import { roundToGrid } from "./grid.ts";
import { compute, fedRandom, gaussian } from "./precision.cases.ts";
import { tensorRange } from "./ranges.ts";

/** arXiv:1805.11046: bits, numbers, bound, cosine of Gaussian numbers on the grid from minimum to maximum, the same as predicted. */
const TABLE: readonly (readonly [bits: number, count: number, bound: number, measured: number, predicted: number])[] = [
  [2, 1e4, 0.764, 0.828, 0.85],
  [2, 1e6, 0.725, 0.802, 0.797],
  [4, 1e4, 0.928, 0.99, 0.988],
  [4, 1e6, 0.913, 0.983, 0.982],
  [8, 1e4, 0.9952, 0.99995, 0.99995],
  [8, 1e6, 0.9941, 0.99994, 0.99993],
];

const TOLERANCE: Readonly<Record<number, number>> = { 2: 0.02, 4: 0.002, 8: 1e-4 };

it.each(TABLE)("%d bits, %d numbers: bound and prediction are the table's", (bits, count, bound, _, predicted) => {
  // The last digit of the table.
  const digit = bits === 8 ? 1e-4 : 1e-3;
  expect(Math.abs(cosineBound({ bits, count }) - bound)).toBeLessThan(0.6 * digit);
  expect(Math.abs(predictedCosine({ bits, count }) - predicted)).toBeLessThan(0.6 * digit);
  expect(predictedCosine({ bits, count })).toBeGreaterThan(cosineBound({ bits, count }));
  expect(predictedCosine({ bits, count, rounding: "stochastic" })).toBeLessThan(predictedCosine({ bits, count }));
});

it("tensorCosine is the angle's, also of small ones", () => {
  expect(tensorCosine(float32([2], [1, 0]), float32([2], [1, 1]))).toBeCloseTo(Math.SQRT1_2, 12);
  expect(tensorCosine(float32([2], [1, 0]), float32([2], [0, 3]))).toBe(0);
  expect(tensorCosine(float32([2], [1, 2]), float32([2], [-2, -4]))).toBe(-1);
  expect(1 - tensorCosine(float32([2], [1, 0]), float32([2], [1, 1e-6]))).toBeCloseTo(5e-13, 15);
  expect(tensorCosine(float32([2], [0, 0]), float32([2], [0, 0]))).toBe(1);
  expect(tensorCosine(float32([2], [1, 0]), float32([2], [0, 0]))).toBe(0);
  expect(() => tensorCosine(float32([2], [1, 0]), float32([1], [0]))).toThrow(
    "tensorCosine: both tensors must have one shape, got [2] and [1].",
  );
  expect(() => predictedCosine({ bits: 0, count: 9 })).toThrow("predictedCosine: bits must be positive, got 0.");
  expect(() => cosineBound({ bits: 8, count: 1 })).toThrow("cosineBound: count must be at least 2, got 1.");
});

describeUnless(reasonWithoutOnnxRuntimeNode(), "cosines of rounded numbers", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });

  async function cosineOf(numbers: Float32Array, bits: number, rounding: "nearest" | "stochastic" = "nearest") {
    const x = float32([numbers.length], numbers);
    const { outputs } = await compute(runtime, (ops, input) => {
      const value = input(x);
      const noise = rounding === "stochastic" ? ops.sub(fedRandom(input).uniform(x.shape), 0.5) : undefined;
      return [roundToGrid(ops, value, tensorRange(ops, value), { kind: "range", bits, noise })];
    });
    return tensorCosine(x, outputs[0]!);
  }

  it.each(TABLE)("%d bits, %d Gaussian numbers: as the table says", async (bits, count, _, measured) => {
    // The cosine depends on the largest of the numbers, so this is the mean of several tensors.
    const draws = count > 1e5 ? 5 : 20;
    let mean = 0;
    for (let seed = 0; seed < draws; seed++)
      mean += (await cosineOf(gaussian([count], 10 + seed).data as Float32Array, bits)) / draws;
    expect(Math.abs(mean - measured)).toBeLessThan(TOLERANCE[bits]!);
  });

  it("is predicted with noise, too", async () => {
    const found = await cosineOf(gaussian([1e5], 3).data as Float32Array, 4, "stochastic");
    expect(Math.abs(found - predictedCosine({ bits: 4, count: 1e5, rounding: "stochastic" }))).toBeLessThan(0.005);
  });

  it("is far below what is predicted for heavy tails", async () => {
    // Student's t with 2 degrees of freedom.
    const random = seededRandom(1);
    const numbers = Float32Array.from(
      { length: 1e6 },
      () => random.normal() / Math.sqrt(-Math.log(1 - random.uniform())),
    );
    expect(await cosineOf(numbers, 8)).toBeLessThan(0.97);
    expect(await cosineOf(numbers, 8, "stochastic")).toBeLessThan(await cosineOf(numbers, 8));
  });
});
