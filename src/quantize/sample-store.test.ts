import { describe, expect, it } from "vitest";
import { float32 } from "../tensor/index.ts";
import { histogramTotal } from "./histogram.ts";
import { SampleStore } from "./sample-store.ts";
import { statisticsOf } from "./statistics.ts";

const RANGE = statisticsOf(Float32Array.of(0, 1000));

/** A batch of one number for each of two channels: the number of the batch, and its negative. */
function batch(number: number): ReturnType<typeof float32> {
  return float32([1, 2, 1], [number, -number]);
}

describe("SampleStore", () => {
  it("keeps all samples until there are twice as many as it shall hold", () => {
    const store = new SampleStore(10);
    for (let i = 0; i < 19; i++) store.add(batch(i));
    expect(histogramTotal(store.withHistogram(RANGE, 0).histogram!)).toBe(19);
    store.add(batch(19));
    expect(histogramTotal(store.withHistogram(RANGE, 0).histogram!)).toBe(10);
  });

  it("stays within its bounds however many come, and represents all of them evenly", () => {
    const store = new SampleStore(50);
    for (let i = 0; i < 1000; i++) {
      store.add(batch(i));
      const kept = histogramTotal(store.withHistogram(RANGE, 0).histogram!);
      expect(kept).toBeLessThan(100);
      expect(kept).toBeGreaterThanOrEqual(Math.min(i + 1, 50));
    }
    const { counts } = store.withHistogram(RANGE, 0).histogram!;
    const quarters = [0, 1, 2, 3].map((quarter) =>
      counts.subarray(64 * quarter, 64 * (quarter + 1)).reduce((a, b) => a + b, 0),
    );
    expect(Math.max(...quarters) - Math.min(...quarters)).toBeLessThanOrEqual(1);
  });

  it("keeps one batch, however large", () => {
    const store = new SampleStore(1);
    for (let i = 0; i < 5; i++) store.add(float32([10, 1, 10], new Float32Array(100).fill(i)));
    expect(histogramTotal(store.withHistogram(RANGE).histogram!)).toBeLessThanOrEqual(200);
    expect(histogramTotal(store.withHistogram(RANGE).histogram!)).toBeGreaterThanOrEqual(100);
  });

  it("tells channels apart, and takes all of them for the tensor", () => {
    const store = new SampleStore(100);
    store.add(float32([2, 2, 3], [1, 2, 3, 10, 20, 30, 4, 5, 6, 40, 50, 60]));
    const low = statisticsOf(Float32Array.of(0, 6));
    expect(store.withHistogram(low, 0).histogram!.counts.filter((count) => count > 0)).toHaveLength(6);
    // Whatever lies outside is counted at the ends.
    expect(store.withHistogram(low, 1).histogram!.counts.at(-1)).toBe(6);
    expect(histogramTotal(store.withHistogram(RANGE).histogram!)).toBe(12);
  });

  it("counts a constant in one bin", () => {
    const store = new SampleStore(4);
    store.add(float32([1, 1, 3], [5, 5, 5]));
    const { histogram } = store.withHistogram(statisticsOf(Float32Array.of(5)));
    expect(histogram!.counts[0]).toBe(3);
  });

  it("takes deviations around the mean it is given", () => {
    const store = new SampleStore(4);
    store.add(float32([1, 2, 2], [1, 3, 0, 8]));
    const known = { ...RANGE, mean: 2 };
    expect(store.withDeviations(known, 0)).toMatchObject({ meanAbsoluteDeviation: 1, standardDeviation: 1 });
    expect(store.withDeviations(known)).toMatchObject({
      meanAbsoluteDeviation: 2.5,
      standardDeviation: Math.sqrt(10.5),
    });
    expect([...store.channelVariances(Float64Array.of(2, 4))]).toEqual([1, 16]);
  });
});
