import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MomentAccumulator } from "./moment-accumulator.ts";
import { mergeStatistics, statisticsOf } from "./statistics.ts";

const batches = fc.array(
  fc.float32Array({ minLength: 1, maxLength: 20, noNaN: true, min: -1000, max: 1000 }),
  { minLength: 1, maxLength: 8 },
); // biome-ignore format: kept short

describe("MomentAccumulator", () => {
  it("puts batches together as if they had come at once", () => {
    fc.assert(
      fc.property(batches, (parts) => {
        const accumulator = new MomentAccumulator(2);
        for (const values of parts) {
          const { mean, min, max, meanAbsoluteDeviation, standardDeviation, count } = statisticsOf(values);
          // The second channel is the first one, mirrored.
          accumulator.add({
            count,
            mean: [mean, -mean],
            min: [min, -max],
            max: [max, -min],
            absolute: [meanAbsoluteDeviation * count, meanAbsoluteDeviation * count],
            square: [standardDeviation ** 2 * count, standardDeviation ** 2 * count],
          });
        }
        const all = statisticsOf(Float32Array.from(parts.flatMap((values) => [...values])));
        const merged = mergeStatistics(parts.map((values) => statisticsOf(values)));
        const [first, mirrored] = accumulator.statistics();
        expect(first).toMatchObject({ count: all.count, min: all.min, max: all.max });
        // Float64 sums of numbers up to 1000, squared: 1e-16 of 1e6, a hundred times over.
        expect(Math.abs(first!.mean - all.mean)).toBeLessThan(1e-8);
        expect(Math.abs(first!.standardDeviation - all.standardDeviation)).toBeLessThan(1e-4);
        expect(Math.abs(first!.meanAbsoluteDeviation - merged.meanAbsoluteDeviation)).toBeLessThan(1e-8);
        expect(mirrored!.mean).toBeCloseTo(-first!.mean, 8);
        expect(mirrored).toMatchObject({ min: -first!.max, max: -first!.min });
        expect([...accumulator.means()]).toEqual([first!.mean, mirrored!.mean]);
      }),
      { seed: 2, numRuns: 200 },
    );
  });

  it("averages b over batches, each around its own mean: smaller than around the common one", () => {
    const accumulator = new MomentAccumulator(1);
    for (const mean of [0, 10]) {
      accumulator.add({ count: 2, mean: [mean], min: [mean - 1], max: [mean + 1], absolute: [2], square: [2] });
    }
    expect(accumulator.statistics()[0]).toEqual({
      count: 4,
      min: -1,
      max: 11,
      mean: 5,
      meanAbsoluteDeviation: 1,
      standardDeviation: Math.sqrt(26),
    });
  });
});
