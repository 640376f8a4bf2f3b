import { beforeAll, expect, it } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../test/support/engines.ts";
import type { LoweringTarget } from "../lower/index.ts";
import type { Runtime } from "../runtime/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { float32, type Tensor, tensorOf, toNumbers } from "../tensor/index.ts";
import { type GridKind, limitsOf, roundToGrid } from "./grid.ts";
import { compute, fedRandom, gaussian, meanOf } from "./precision.cases.ts";
import { channelRange, sampleRange, tensorRange } from "./ranges.ts";

const KINDS: readonly GridKind[] = ["zero", "symmetric", "range"];

/** With codes in bytes, and in float arithmetic as on devices without them. */
const TARGETS: readonly LoweringTarget[] = [{ device: "cpu" }, { device: "webgpu" }];

describeUnless(reasonWithoutOnnxRuntimeNode(), "roundToGrid", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });

  interface Choice {
    readonly kind: GridKind;
    readonly bits: number;
    readonly target?: LoweringTarget;
    readonly noisy?: boolean;
  }

  async function rounded(x: Tensor, { kind, bits, target, noisy = false }: Choice): Promise<ArrayLike<number>> {
    const { outputs } = await compute(
      runtime,
      (ops, input) => {
        const value = input(x);
        const noise = noisy ? ops.sub(fedRandom(input, 7).uniform(x.shape), 0.5) : undefined;
        return [roundToGrid(ops, value, tensorRange(ops, value), { kind, bits, noise })];
      },
      target,
    );
    return toNumbers(outputs[0]!);
  }

  /** The step of the grid. */
  function stepOf(x: Tensor, kind: GridKind, bits: number): number {
    const numbers = Array.from(toNumbers(x));
    const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
    if (kind === "symmetric") return Math.max(high, -low) / (2 ** (bits - 1) - 1);
    if (kind === "range") return (high - low) / (2 ** bits - 1);
    return (Math.max(high, 0) - Math.min(low, 0)) / (2 ** bits - 1);
  }

  const cases = KINDS.flatMap((kind) =>
    [2, 4, 8, 16].flatMap((bits) => TARGETS.map((target) => ({ kind, bits, target }))),
  );

  it.each(cases)("$kind, $bits bits, for $target.device: errs by half a step, and its codes stay", async (choice) => {
    const x = gaussian([50, 40], 3);
    const step = stepOf(x, choice.kind, choice.bits);
    const first = await rounded(x, choice);
    const numbers = toNumbers(x);
    // A grid with a whole zero point ends up to half a step inside of what it spans. Float32 knows a 16-bit step to one in 500.
    const limit = (choice.kind === "zero" ? 1 : 0.5) * step * 1.01;
    const worst = Array.from(numbers, (number, i) => Math.abs(number - first[i]!)).reduce((a, b) => Math.max(a, b));
    expect(worst).toBeLessThanOrEqual(limit);
    expect(worst).toBeGreaterThan(0.4 * step);
    const codes = new Set(Array.from(first, (number) => Math.round(number / step)));
    expect(codes.size).toBeLessThanOrEqual(2 ** choice.bits);
    const again = await rounded(float32(x.shape, Float32Array.from(first)), choice);
    // The grid of the codes is the grid, up to rounding of its ends.
    expect(Math.max(...Array.from(again, (number, i) => Math.abs(number - first[i]!)))).toBeLessThan(step * 0.02);
  });

  it.each(cases)("$kind, $bits bits, for $target.device: errs by less than a step with noise", async (choice) => {
    const x = gaussian([50, 40], 3);
    const step = stepOf(x, choice.kind, choice.bits);
    const found = await rounded(x, { ...choice, noisy: true });
    const errors = Array.from(toNumbers(x), (number, i) => Math.abs(number - found[i]!));
    expect(Math.max(...errors)).toBeLessThan((choice.kind === "zero" ? 1.5 : 1) * step * 1.01);
    // Not what is nearest.
    expect(errors.filter((error) => error > 0.51 * step).length).toBeGreaterThan(100);
  });

  it.each(TARGETS)("rounds 2.3 with noise to 2.3 in the mean, for $device", async (target) => {
    const draws = 400_000;
    // Ends of the grid: 0 and 255, so that its step is 1.
    const x = float32([draws + 2], new Float32Array(draws + 2).fill(2.3));
    (x.data as Float32Array).set([0, 255], draws);
    const found = await rounded(x, { kind: "zero", bits: 8, noisy: true, target });
    const { mean, variance } = meanOf(Array.from(found).slice(0, draws));
    expect(Math.abs(mean - 2.3)).toBeLessThan(0.005);
    expect(Math.abs(variance - 0.21)).toBeLessThan(0.005);
    expect(new Set(Array.from(found).slice(0, draws))).toEqual(new Set([2, 3]));
  });

  it.each(TARGETS)("keeps the ends of the grid whatever the noise is, for $device", async (target) => {
    const ends = Float32Array.from({ length: 10_000 }, (_, i) => (i % 2 ? 255 : 0));
    for (const kind of ["zero", "range"] as const)
      expect(Array.from(await rounded(float32([10_000], ends), { kind, bits: 8, noisy: true, target }))).toEqual(
        Array.from(ends),
      );
  });

  it.each(TARGETS)("returns constants and zeros as they are, for $device", async (target) => {
    for (const kind of KINDS)
      for (const constant of [0, 0.7, -3]) {
        const found = await rounded(float32([4, 5], new Float32Array(20).fill(constant)), { kind, bits: 8, target });
        for (const number of Array.from(found)) expect(number).toBeCloseTo(constant, 6);
      }
  });

  it("keeps zeros exact but on a grid of the range", async () => {
    const x = float32([3], [-1, 0, 2.05]);
    for (const kind of ["zero", "symmetric"] as const) expect((await rounded(x, { kind, bits: 4 }))[1]).toBe(0);
    expect(Math.abs((await rounded(x, { kind: "range", bits: 4 }))[1]!)).toBeGreaterThan(0.01);
  });

  it("gives channels and samples ranges of their own", async () => {
    const x = float32([2, 2], [1, -2, 30, 40]);
    const { outputs } = await compute(runtime, (ops, input) => {
      const value = input(x);
      const [channel, sample] = [channelRange(ops, value, 0), sampleRange(ops, value)];
      return [channel.low!, channel.high, sample.low!, sample.high];
    });
    expect(outputs.map((output) => Array.from(toNumbers(output)))).toEqual([[-2, 30], [1, 40], [14], [20.5]]);
  });

  it("looks for no least number where none is negative", async () => {
    const { outputs, operators } = await compute(runtime, (ops, input) => {
      const x = ops.relu(input(gaussian([8, 8], 1)));
      return [roundToGrid(ops, x, tensorRange(ops, x), { kind: "zero", bits: 8 }), x];
    });
    expect(operators).not.toContain("ReduceMin");
    const [codes, x] = outputs.map((output) => toNumbers(output)) as [Float64Array, Float64Array];
    const step = Math.max(...x) / 255;
    for (const [i, number] of x.entries()) expect(Math.abs(number - codes[i]!)).toBeLessThanOrEqual(step * 0.501);
  });

  it("is simulated in float64", async () => {
    const x = tensorOf("float64", [4], [-1, 0.123456789, 0.5, 1]);
    const found = await rounded(x, { kind: "symmetric", bits: 8 });
    expect(Array.from(found)).toEqual([-127, 16, 64, 127].map((code) => code / 127));
  });

  it("clips beyond its limits", async () => {
    const { outputs } = await compute(runtime, (ops, input) => {
      const range = { low: ops.scalar(-1), high: ops.scalar(2) };
      return KINDS.flatMap((kind) => {
        const { low, high } = limitsOf(ops, range, kind);
        return [low, high, roundToGrid(ops, input(float32([2], [-9, 9])), range, { kind, bits: 8 })];
      });
    });
    KINDS.forEach((_, index) => {
      const [low, high, ends] = outputs.slice(3 * index).map((output) => Array.from(toNumbers(output))) as number[][];
      // The symmetric grid has one more code below 0.
      expect(Math.abs(ends![0]! - low![0]!)).toBeLessThan(0.02);
      expect(Math.abs(ends![1]! - high![0]!)).toBeLessThan(0.02);
    });
  });
});
