import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { blockGrid } from "../block-grid.ts";
import { dequantizeBlocks, quantizeBlocks } from "../block-weights.ts";
import { quantizeAs } from "../lowering/lower-model.cases.ts";
import type { RungReport } from "../report-data.ts";
import { dataOf, normals, operators, programOf, randomFeeds, weights } from "../small-models.cases.ts";
import { halfQuadratic, halfQuadraticBlocks, halfQuadraticGrid } from "./half-quadratic.ts";

const FORMAT = { bits: 4, blockSize: 32, symmetric: false } as const;

function sumOfPowers(values: Float32Array, back: Float32Array, power: number): number {
  return values.reduce((sum, value, i) => sum + Math.abs(value - back[i]!) ** power, 0);
}

describe("halfQuadraticBlocks", () => {
  it("never has a larger sum of |error|^0.7 than where it started", () => {
    const formats = fc.record({
      bits: fc.integer({ min: 2, max: 8 }),
      symmetric: fc.boolean(),
      clip: fc.constantFrom("max", "mse"),
    });
    fc.assert(
      fc.property(formats, fc.integer({ min: 1, max: 1000 }), ({ clip, ...format }, seed) => {
        const values = normals(seed, 96, 0.05);
        const options = { ...format, blockSize: 32, clip: clip as "max" | "mse" };
        const start = quantizeBlocks(values, 48, options);
        const found = halfQuadraticBlocks(values, start);
        const [before, after] = [start, found].map((one) => sumOfPowers(values, dequantizeBlocks(one), 0.7));
        expect(after).toBeLessThanOrEqual(before! * (1 + 1e-6));
        expect(found).toMatchObject({ ...format, blockSize: 32, rows: 2, rowLength: 48 });
      }),
      { seed: 1, numRuns: 60 },
    );
  });

  it("makes it smaller by some percent, where zero points are free", () => {
    const values = normals(3, 4096, 0.1);
    for (const bits of [2, 3, 4]) {
      const start = quantizeBlocks(values, 64, { ...FORMAT, bits, clip: "max" });
      const [before, after] = [start, halfQuadraticBlocks(values, start)].map((one) =>
        sumOfPowers(values, dequantizeBlocks(one), 0.7),
      );
      expect(after).toBeLessThan(before! * 0.97);
    }
  });

  it("does the same to weights of another size", () => {
    const values = normals(4, 64);
    const start = quantizeBlocks(values, 32, { ...FORMAT, clip: "max" });
    const large = values.map((value) => value * 1024);
    const found = halfQuadraticBlocks(large, quantizeBlocks(large, 32, { ...FORMAT, clip: "max" }));
    expect(found.codes).toEqual(halfQuadraticBlocks(values, start).codes);
  });
});

describe("halfQuadraticGrid", () => {
  it("finds the grid that weights lie on, from one that is off", () => {
    const scale = 0.25;
    const values = Float32Array.from({ length: 32 }, (_, i) => ((i % 16) - 3) * scale);
    const off = { scale: Math.fround(scale * 1.04), zeroPoint: 3 };
    const found = halfQuadraticGrid(values, off, FORMAT);
    expect(found.zeroPoint).toBe(3);
    expect(found.scale).toBeCloseTo(scale, 6);
  });

  it("leaves blocks of zeros alone", () => {
    const zeros = new Float32Array(32);
    const start = blockGrid(zeros, { ...FORMAT, clip: "mse" });
    expect(halfQuadraticGrid(zeros, start, FORMAT)).toEqual(start);
  });
});

describe("halfQuadratic", () => {
  const program = programOf(
    { x: ["batch", 3] },
    (e, { x }) => {
      const rows = e.emit("Gather", [weights("table", [11, 64]), x!]);
      const hidden = e.emit("Add", [e.emit("MatMul", [rows, weights("a", [64, 48], 0.2)]), weights("bias", [48])]);
      return [e.emit("MatMul", [e.emit("Relu", [hidden]), weights("b", [48, 6], 0.2)], { output: "y" })];
    },
    { dtype: "int64" },
  );
  const batches = Array.from({ length: 4 }, (_, seed) =>
    randomFeeds(program, seed, { lengths: { batch: 8 }, rows: 11 }),
  );
  const setting = { target: "cpu", weights: 3, activations: 16 } as const;
  const coarse = { weightRange: "min-max", refinements: [halfQuadratic()] } as const;

  it("is a rung of the ladder, with samples or without, and keeps block operators", async () => {
    for (const calibration of [dataOf(batches), undefined]) {
      const { program: quantized, report } = await quantizeAs(program, setting, batches, {
        ...coarse,
        ...(calibration ? { calibration } : {}),
      });
      const [closedForm, rung] = report.ladder!.slice(-2) as [RungReport, RungReport];
      expect(rung.outputSqnrDb).not.toBe(closedForm.outputSqnrDb);
      expect(rung.name).toBe("half-quadratic");
      expect(rung.notes.join()).not.toContain("not done");
      expect(operators(quantized).filter((name) => name.startsWith("com.microsoft"))).toHaveLength(3);
    }
  });
});
