import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { codeLimits } from "./block-format.ts";
import { blockExtent, dequantizeBlocks, quantizeBlocks, transpose } from "./block-weights.ts";
import { normals, sqnrDb } from "./small-models.cases.ts";

const matrices = fc
  .record({ rows: fc.integer({ min: 1, max: 4 }), rowLength: fc.integer({ min: 1, max: 80 }) })
  .chain(({ rows, rowLength }) =>
    fc.record({
      rowLength: fc.constant(rowLength),
      values: fc.float32Array({
        minLength: rows * rowLength,
        maxLength: rows * rowLength,
        noNaN: true,
        min: -100,
        max: 100,
      }),
    }),
  );

const formats = fc.record({
  bits: fc.integer({ min: 2, max: 8 }),
  blockSize: fc.constantFrom(16, 32, 64, 128, 256),
  symmetric: fc.boolean(),
});

describe("quantizeBlocks", () => {
  it("puts every weight within half a step of its block's grid, whatever the shape and format", () => {
    fc.assert(
      fc.property(matrices, formats, ({ values, rowLength }, format) => {
        const blocks = quantizeBlocks(values, rowLength, { ...format, clip: "max" });
        const back = dequantizeBlocks(blocks);
        expect(back).toHaveLength(values.length);
        for (let block = 0; block < blocks.scales.length; block++) {
          const [start, end] = blockExtent(blocks, block);
          // A float32 scale may be a hair smaller than the exact one; a zero point that is rounded costs half a step at an end.
          const steps = (format.symmetric ? 0.5 : 1) * (1 + 1e-5);
          for (let i = start; i < end; i++) {
            expect(Math.abs(back[i]! - values[i]!)).toBeLessThanOrEqual(blocks.scales[block]! * steps);
          }
        }
      }),
      { seed: 1, numRuns: 100 },
    );
  });

  it("keeps codes and zero points within the levels of its bits, and zero exact", () => {
    fc.assert(
      fc.property(matrices, formats, fc.constantFrom("max", "mse"), ({ values, rowLength }, format, clip) => {
        values[0] = 0;
        const blocks = quantizeBlocks(values, rowLength, { ...format, clip: clip as "max" | "mse" });
        const [lowest, highest] = codeLimits(format);
        expect(highest - lowest + 1).toBe(2 ** format.bits);
        for (const code of [...blocks.codes, ...blocks.zeroPoints]) {
          expect(code).toBeGreaterThanOrEqual(lowest);
          expect(code).toBeLessThanOrEqual(highest);
        }
        expect(Math.abs(dequantizeBlocks(blocks)[0]!)).toBe(0);
      }),
      { seed: 2, numRuns: 100 },
    );
  });

  it("gains by zero points where weights lie to one side, and by clips at few bits", () => {
    const shifted = normals(1, 4096).map((x) => Math.abs(x));
    const sqnr = (values: Float32Array, symmetric: boolean, clip: "max" | "mse", bits = 4) =>
      sqnrDb(values, dequantizeBlocks(quantizeBlocks(values, 64, { bits, blockSize: 32, symmetric, clip })));
    expect(sqnr(shifted, false, "max")).toBeGreaterThan(sqnr(shifted, true, "max") + 5);
    const plain = normals(2, 4096);
    for (const bits of [2, 3, 4]) {
      expect(sqnr(plain, true, "mse", bits)).toBeGreaterThan(sqnr(plain, true, "max", bits) + 0.2);
      expect(sqnr(plain, false, "mse", bits)).toBeGreaterThan(sqnr(plain, false, "max", bits) + 0.1);
    }
  });
});

describe("transpose", () => {
  it("swaps rows and columns, and back", () => {
    expect([...transpose(Float32Array.of(1, 2, 3, 4, 5, 6), 2, 3)]).toEqual([1, 4, 2, 5, 3, 6]);
    const values = normals(2, 35);
    expect(transpose(transpose(values, 5, 7), 7, 5)).toEqual(values);
  });
});
