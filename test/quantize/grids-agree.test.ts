import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import type { LoweringTarget } from "../../src/lower/index.ts";
import { roundToGrid } from "../../src/precision/grid.ts";
import { compute } from "../../src/precision/precision.cases.ts";
import { deployableGrid, type Grid, gridFor, quantizeValues, symmetricGrid } from "../../src/quantize/index.ts";
import type { Runtime } from "../../src/runtime/index.ts";
import { nodeRuntime } from "../../src/runtime/node.ts";
import { float32, toNumbers } from "../../src/tensor/index.ts";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../support/engines.ts";

/** Codes of bytes, and the same in float arithmetic. */
const TARGETS: readonly LoweringTarget[] = [{ device: "cpu" }, { device: "webgpu" }];

/**
 * What the two may differ in: the host forms scales in float64 and rounds once, a program in float32. A position on the grid, in
 * steps, is then known to this share of itself.
 */
const FLOAT32_ROUNDING = 2 ** -22;

/** Whether a position lies so close to the middle between two codes that rounding of the scale decides. */
function isTie(position: number): boolean {
  return Math.abs((Math.abs(position) % 1) - 0.5) <= Math.abs(position) * FLOAT32_ROUNDING;
}

/** Numbers inside and outside of a range, with its ends and 0. */
const cases = fc
  .record({
    bits: fc.constantFrom(2, 3, 4, 5, 6, 7, 8, 16),
    low: fc.double({ min: -3, max: 1, noNaN: true }),
    width: fc.double({ min: 0.01, max: 4, noNaN: true }),
    exponent: fc.integer({ min: -12, max: 12 }),
    positions: fc.array(fc.double({ min: -0.3, max: 1.3, noNaN: true }), { minLength: 20, maxLength: 200 }),
  })
  .map(({ bits, low, width, exponent, positions }) => {
    const magnitude = 10 ** exponent;
    const range = { low: Math.fround(low * magnitude), high: Math.fround((low + width) * magnitude) };
    const numbers = positions.map((position) => range.low + position * (range.high - range.low));
    return { bits, range, numbers: Float32Array.from([range.low, range.high, 0, ...numbers]) };
  });

describeUnless(
  reasonWithoutOnnxRuntimeNode(),
  "grids of programs (src/precision) and of the host (src/quantize)",
  () => {
    let runtime: Runtime;
    beforeAll(async () => {
      runtime = await nodeRuntime({ threads: 1 });
    });

    interface Compared {
      readonly kind: "zero" | "symmetric" | "range";
      readonly bits: number;
      readonly range: { readonly low: number; readonly high: number };
      readonly numbers: Float32Array;
      readonly target: LoweringTarget;
    }

    /** The codes of a program run by ONNX Runtime, on the host's grid. */
    async function codesOfProgram({ kind, bits, range, numbers, target }: Compared, grid: Grid): Promise<number[]> {
      const { outputs } = await compute(
        runtime,
        (ops, input) => {
          const [low, high] = [input(float32([], [range.low])), input(float32([], [range.high]))];
          return [roundToGrid(ops, input(float32([numbers.length], numbers)), { low, high }, { kind, bits })];
        },
        target,
      );
      const origin = kind === "range" ? range.low : 0;
      return Array.from(
        toNumbers(outputs[0]!),
        (number) => Math.round((number - origin) / grid.scale) + grid.zeroPoint,
      );
    }

    /** Asserts that codes are the same but for ties, and returns how many were compared. */
    async function compare(one: Compared, grid: Grid, numbers = one.numbers): Promise<number> {
      const found = await codesOfProgram(one, grid);
      const expected = quantizeValues(numbers, grid);
      const compared = [...numbers.keys()].filter((index) => !isTie(numbers[index]! / grid.scale));
      expect(compared.map((index) => found[index])).toEqual(compared.map((index) => expected[index]));
      return compared.length / numbers.length;
    }

    it.each(TARGETS)("give the same codes where 0 is one of them, for $device", async (target) => {
      await fc.assert(
        fc.asyncProperty(cases, async ({ bits, range, numbers }) => {
          const grid = deployableGrid(range, bits);
          // The zero point itself may be decided by rounding: then all codes move by one, and none of the numbers by a step.
          fc.pre(!isTie(Math.min(range.low, 0) / grid.scale));
          await compare({ kind: "zero", bits, range, numbers, target }, grid);
        }),
        { numRuns: 40 },
      );
    });

    it.each(TARGETS)("give the same symmetric codes, for $device", async (target) => {
      await fc.assert(
        fc.asyncProperty(cases, async ({ bits, range, numbers }) => {
          const grid = symmetricGrid(Math.max(Math.abs(range.low), Math.abs(range.high)), bits);
          await compare({ kind: "symmetric", bits, range, numbers, target }, grid);
        }),
        { numRuns: 40 },
      );
    });

    it.each(TARGETS)("have the same steps from the least number on, for $device", async (target) => {
      await fc.assert(
        fc.asyncProperty(cases, async ({ bits, range, numbers }) => {
          // The published grid has its lowest code at the least number, the host's a whole zero point: they are the same beyond it.
          const grid = gridFor({ low: 0, high: Math.fround(range.high - range.low) }, bits);
          const above = numbers.map((number) => Math.fround(number - range.low));
          await compare({ kind: "range", bits, range, numbers, target }, grid, above);
        }),
        { numRuns: 40 },
      );
    });

    it("leaves few numbers to ties", async () => {
      const numbers = Float32Array.from({ length: 1000 }, (_, i) => Math.sin(12.9898 * i));
      for (const bits of [2, 4, 8, 16]) {
        const one = { kind: "zero", bits, range: { low: -1, high: 1 }, numbers, target: { device: "cpu" } } as const;
        expect(await compare(one, deployableGrid(one.range, bits))).toBeGreaterThan(0.98);
      }
    });

    it("come to the smallest scale for zeros", async () => {
      const one = {
        bits: 8,
        range: { low: 0, high: 0 },
        numbers: new Float32Array(3),
        target: { device: "cpu" },
      } as const;
      expect(await compare({ ...one, kind: "zero" }, deployableGrid(one.range, 8))).toBe(1);
      expect(await compare({ ...one, kind: "symmetric" }, symmetricGrid(0, 8))).toBe(1);
    });
  },
);
