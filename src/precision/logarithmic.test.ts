import { beforeAll, expect, it } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../test/support/engines.ts";
import type { Runtime } from "../runtime/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { float32, type Tensor, toNumbers } from "../tensor/index.ts";
import { logarithmic } from "./logarithmic.ts";
import { compute, fedRandom, gaussian, meanOf } from "./precision.cases.ts";
import { RoundingNoise } from "./rounding-noise.ts";

describeUnless(reasonWithoutOnnxRuntimeNode(), "logarithmic", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });

  async function rounded(x: Tensor, bits: number, seed = 1): Promise<Float64Array> {
    const { outputs } = await compute(runtime, (ops, input) => {
      const noise = new RoundingNoise(fedRandom(input, seed));
      return [logarithmic(ops, input(x), { bits, noise })];
    });
    return Float64Array.from(toNumbers(outputs[0]!));
  }

  it.each([2, 3, 4, 5])("with %d bits has powers of two times alpha and 0, and keeps the largest", async (bits) => {
    const x = gaussian([100, 50], 2, 1e-4);
    const numbers = toNumbers(x);
    const largest = Math.max(...Array.from(numbers, Math.abs));
    const levels = 2 ** (bits - 1) - 1;
    const alpha = largest / 2 ** (levels - 1);
    const found = await rounded(x, bits);
    const exponents = new Set<number>();
    for (const [i, number] of found.entries()) {
      if (number === 0) {
        expect(Math.abs(numbers[i]!)).toBeLessThan(alpha);
        continue;
      }
      const exponent = Math.log2(Math.abs(number) / alpha);
      expect(Math.abs(exponent - Math.round(exponent))).toBeLessThan(1e-5);
      expect(Math.sign(number)).toBe(Math.sign(numbers[i]!));
      exponents.add(Math.round(exponent));
    }
    expect(Math.min(...exponents)).toBeGreaterThanOrEqual(0);
    // All of them but the rarest are there.
    expect(exponents.size).toBeGreaterThan(levels - 3);
    expect(Math.max(...exponents)).toBe(levels - 1);
    const at = numbers.findIndex((number) => Math.abs(number) === largest);
    expect(Math.abs(found[at]!) / largest).toBeCloseTo(1, 5);
  });

  it.each([0.0007, 0.003, 0.02, 0.3, 0.75, -0.6])("is right in the mean at %d of the largest", async (share) => {
    const draws = 200_000;
    const numbers = new Float32Array(draws).fill(share);
    numbers[0] = 1;
    const found = await rounded(float32([1, draws], numbers), 4);
    const { mean, error } = meanOf(found.subarray(1));
    expect(Math.abs(mean - share)).toBeLessThan(3 * error + 1e-6);
    expect(new Set(found.subarray(1)).size).toBeLessThanOrEqual(2);
  });

  it("leaves zeros, and tells of numbers that are not finite by NaN everywhere", async () => {
    expect(Array.from(await rounded(float32([4], [0, 0, 0, 0]), 4))).toEqual([0, 0, 0, 0]);
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const numbers = new Float32Array(100).fill(0.5);
      numbers[70] = bad;
      expect((await rounded(float32([100], numbers), 4)).every(Number.isNaN)).toBe(true);
    }
  });
});
