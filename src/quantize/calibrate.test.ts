import { describe, expect, it } from "vitest";
import { DataError } from "../errors.ts";
import { writeModel } from "../onnx/index.ts";
import type { Program, Value } from "../program/index.ts";
import { float32, type Tensor } from "../tensor/index.ts";
import { calibrate, type ValueStatistics } from "./calibrate.ts";
import {
  calibrationProgram,
  POSITIONS_INPUT,
  positionsTensor,
  readStatistics,
  STATISTICS_OUTPUT,
  type StatisticsRequest,
} from "./calibration-program.ts";
import { histogramTotal } from "./histogram.ts";
import type { Feeds } from "./options.ts";
import { dataOf, normals, numbers, programOf, runtime, weights } from "./small-models.cases.ts";
import { mergeStatistics, type Statistics, statisticsOf } from "./statistics.ts";

/** A model whose output is its input moved and stretched by channel, so that statistics are those of known numbers. */
function shifting(shape: readonly (number | string | null)[], channels: readonly number[], opset = 17): Program {
  return programOf({ x: shape }, (e, { x }) => [e.emit("Add", [x!, numbers("shift", channels, shiftsOf(channels))])], {
    opset,
  });
}

function shiftsOf(shape: readonly number[]): number[] {
  return Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, c) => 3 * c - 1);
}

function feedsOf(shapes: readonly (readonly number[])[], scale = 2): Feeds[] {
  return shapes.map((shape, i) => ({
    x: float32(
      shape,
      normals(
        i + 1,
        shape.reduce((a, b) => a * b, 1),
        scale,
      ),
    ),
  }));
}

/** The channels of the sum, [before, channels, after] around an axis, of every batch on the host. */
function channelsOf(feeds: readonly Feeds[], axis: number, shifts: readonly number[]): Float32Array[][] {
  return feeds.map(({ x }) => {
    const { shape, data } = x as Tensor;
    const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
    const found = shifts.map((): number[] => []);
    (data as Float32Array).forEach((value, at) => {
      const c = Math.floor(at / inner) % shifts.length;
      found[c]!.push(Math.fround(value + shifts[c]!));
    });
    return found.map((values) => Float32Array.from(values));
  });
}

function oracle(batches: readonly (readonly Float32Array[])[]): { tensor: Statistics; channels: Statistics[] } {
  const joined = batches.map((channels) => Float32Array.from(channels.flatMap((values) => [...values])));
  return {
    tensor: mergeStatistics(joined.map((values) => statisticsOf(values))),
    channels: batches[0]!.map((_, c) => mergeStatistics(batches.map((channels) => statisticsOf(channels[c]!)))),
  };
}

async function statisticsFor(
  program: Program,
  feeds: readonly Feeds[],
  request: Omit<StatisticsRequest, "value">,
  seed = 0,
): Promise<ValueStatistics> {
  const value = program.graph.outputs[0] as Value;
  const { statistics } = await calibrate(program, [{ value, ...request }], dataOf(feeds), { runtime, seed });
  return statistics.get(value)!;
}

/** Float32 means of a few thousand numbers of size 10: 1e-6 of that. Minimum and maximum are numbers that occur: exact. */
function expectSame(actual: Statistics, expected: Statistics): void {
  expect(actual.count).toBe(expected.count);
  expect(actual.min).toBe(expected.min);
  expect(actual.max).toBe(expected.max);
  for (const name of ["mean", "meanAbsoluteDeviation", "standardDeviation"] as const) {
    expect(Math.abs(actual[name] - expected[name])).toBeLessThan(1e-5);
  }
}

const LAYOUTS = [
  { name: "feature maps", declared: [null, 3, null, null], channels: [3, 1, 1], axis: 1, shapes: [[2, 3, 8, 8], [1, 3, 4, 9], [5, 3, 7, 7]] },
  { name: "sequences", declared: ["batch", 3, "length"], channels: [3, 1], axis: 1, shapes: [[2, 3, 40], [4, 3, 33]] },
  { name: "rows", declared: ["batch", 6], channels: [6], axis: -1, shapes: [[40, 6], [33, 6], [1, 6]] },
  { name: "rows of three axes", declared: ["batch", "length", 6], channels: [6], axis: -1, shapes: [[4, 11, 6], [2, 40, 6]] },
  { name: "rows of unknown length", declared: [null, null], channels: [6], axis: -1, shapes: [[40, 6], [33, 6]] },
  { name: "maps of unknown channels", declared: [null, null, null, null], channels: [3, 1, 1], axis: 1, shapes: [[2, 3, 5, 5], [1, 3, 4, 9]] },
] as const; // biome-ignore format: a table

describe("calibrate", () => {
  describe.each(LAYOUTS)("on $name", ({ declared, channels, axis, shapes }) => {
    const shifts = shiftsOf(channels);
    const feeds = feedsOf(shapes);
    const batches = channelsOf(feeds, axis < 0 ? shapes[0].length + axis : axis, shifts);
    const expected = oracle(batches);

    it.each([13, 17, 18, 21])("finds what the host finds, at opset %i", async (opset) => {
      const request = { channelAxis: axis, detail: "channel", exact: true, positions: 1024 } as const;
      const found = await statisticsFor(shifting(declared, channels, opset), feeds, request);
      expectSame(found.tensor!, expected.tensor);
      expected.channels.forEach((channel, c) => {
        expectSame(found.channels![c]!, channel);
        expect(Math.abs(found.inputs.means[c]! - channel.mean)).toBeLessThan(1e-5);
        // All values are sampled, for no axis is longer than 1024: float32 numbers of size 10, squared.
        expect(Math.abs(found.inputs.variances[c]! - channel.standardDeviation ** 2)).toBeLessThan(1e-4);
      });
    });
  });

  it("sees statistics of what a layer computes, before the ReLU after it", async () => {
    const program = programOf({ x: ["batch", 2, 5, 5] }, (e, { x }) => {
      const convolved = e.emit("Conv", [x!, weights("w", [3, 2, 3, 3])]);
      return [e.emit("Relu", [convolved]), convolved];
    });
    const [bounded, convolved] = program.graph.outputs;
    const feeds = feedsOf([[4, 2, 5, 5]]);
    const requests = [bounded!, convolved!].map(
      (value) => ({ value, channelAxis: 1, detail: "tensor", exact: true, positions: 4 }) as const,
    );
    const { statistics, samples, batches } = await calibrate(program, requests, dataOf(feeds), { runtime, seed: 0 });
    expect(statistics.get(bounded!)!.tensor!.min).toBe(0);
    expect(statistics.get(convolved!)!.tensor!.min).toBeLessThan(-1);
    expect(statistics.get(bounded!)!.tensor!.max).toBe(statistics.get(convolved!)!.tensor!.max);
    expect({ samples, batches }).toEqual({ samples: 4, batches: 1 });
  });

  it("takes deviations from samples when that is enough: close, around means and extremes that are exact", async () => {
    const feeds = feedsOf(Array.from({ length: 4 }, () => [2, 3, 40, 40]));
    const program = shifting([null, 3, 40, 40], [3, 1, 1]);
    const request = { channelAxis: 1, detail: "channel", positions: 512 } as const;
    const exact = await statisticsFor(program, feeds, { ...request, exact: true });
    const sampled = await statisticsFor(program, feeds, { ...request, exact: false });
    for (const [a, b] of [
      [sampled.tensor!, exact.tensor!],
      ...sampled.channels!.map((channel, c) => [channel, exact.channels![c]!]),
    ] as [Statistics, Statistics][]) {
      expect({ min: a.min, max: a.max, mean: a.mean, count: a.count }).toEqual({
        min: b.min,
        max: b.max,
        mean: b.mean,
        count: b.count,
      });
      // 4096 samples a channel: sigma to 1 / sqrt(2 * 4096) = 1.1 %, b to about the same; three times that.
      expect(Math.abs(a.standardDeviation / b.standardDeviation - 1)).toBeLessThan(0.035);
      expect(Math.abs(a.meanAbsoluteDeviation / b.meanAbsoluteDeviation - 1)).toBeLessThan(0.035);
    }
  });

  it("samples histograms close to the whole, and the same ones for the same seed", async () => {
    const feeds = feedsOf(Array.from({ length: 8 }, () => [2, 4, 32, 32]));
    const program = shifting([null, 4, 32, 32], [4, 1, 1]);
    const request = { channelAxis: 1, detail: "tensor", exact: true, positions: 256 } as const;
    const { tensor } = await statisticsFor(program, feeds, request, 5);
    const { histogram } = tensor!;
    expect(histogramTotal(histogram!)).toBe(8 * 2 * 4 * 256);
    const whole = statisticsOf(
      Float32Array.from(
        channelsOf(feeds, 1, shiftsOf([4])).flatMap((channels) => channels.flatMap((values) => [...values])),
      ),
      { histogramBins: 2048 },
    );
    // Kolmogorov-Smirnov: of n = 16,384 samples the cumulative share is within 1.63 / sqrt(n) = 1.3 % with 99 % certainty, a
    // little more because the same positions are taken in every channel.
    expect(largestGap(histogram!.counts, whole.histogram!.counts)).toBeLessThan(0.02);
    const again = await statisticsFor(program, feeds, request, 5);
    expect(again.tensor!.histogram).toEqual(histogram);
    const other = await statisticsFor(program, feeds, request, 6);
    expect(other.tensor!.histogram).not.toEqual(histogram);
    expectSame(other.tensor!, tensor!);
  });

  it.each([
    ["NaN", Number.NaN, /got NaN in sum_of_parts/],
    ["infinity", Number.POSITIVE_INFINITY, /got (Infinity|NaN) in sum_of_parts/],
    ["minus infinity", Number.NEGATIVE_INFINITY, /got (-Infinity|NaN) in sum_of_parts/],
  ])("refuses %s among activations, naming the value", async (_, bad, message) => {
    const program = programOf({ x: ["batch", 2, 4, 4] }, (e, { x }) => [
      e.emit("Add", [x!, x!], { output: "sum_of_parts" }),
    ]);
    const values = normals(1, 32);
    values[17] = bad;
    for (const detail of ["inputs", "tensor", "channel"] as const) {
      const found = statisticsFor(program, [{ x: float32([1, 2, 4, 4], values) }], {
        channelAxis: 1,
        detail,
        exact: false,
        positions: 4,
      });
      await expect(found).rejects.toThrow(DataError);
      await expect(found).rejects.toThrow(message);
    }
  });

  it("never samples beyond the end, even where float32 rounds up to it", async () => {
    const last = { positions: 1024, channelAxis: 1, detail: "channel", exact: false } as const;
    // The largest number below 1 that the generator gives; float32 has none between it and 1.
    const program = shifting([1, 1, null], [1, 1]);
    for (const length of [1, 1023, 1024, 1025, 50_177, 1_000_003]) {
      const requests = [{ value: program.graph.outputs[0]!, ...last }];
      const session = await runtime.createSession(writeModel(calibrationProgram(program, requests)));
      const x = float32(
        [1, 1, length],
        Float32Array.from({ length }, (_, i) => i),
      );
      const results = await session.run({ x, [POSITIONS_INPUT]: positionsTensor(() => 1 - 2 ** -32) });
      await session.release();
      const samples = readStatistics(results[STATISTICS_OUTPUT]!, requests)[0]!.samples.data as Float32Array;
      expect(samples).toHaveLength(Math.min(length, 1024));
      expect(Math.max(...samples)).toBe(length - 2);
    }
  });

  it("refuses data without samples, and tensors without elements", async () => {
    const request = { channelAxis: 1, detail: "tensor", exact: true, positions: 4 } as const;
    await expect(statisticsFor(shifting([null, 3, 4, 4], [3, 1, 1]), [], request)).rejects.toThrow(
      "calibrate: there must be at least one calibration sample, got none from test data.",
    );
  });

  it("tells how far it is, and stops when asked to", async () => {
    const program = shifting([null, 3, 4, 4], [3, 1, 1]);
    const value = program.graph.outputs[0]!;
    const requests = [{ value, channelAxis: 1, detail: "tensor", exact: true, positions: 4 }] as const;
    const feeds = feedsOf([[2, 3, 4, 4], [1, 3, 4, 4], [3, 3, 4, 4]]); // biome-ignore format: kept short
    const stop = new AbortController();
    const seen: number[] = [];
    const onProgress = ({ done }: { done: number }): void => {
      seen.push(done);
      if (done === 3) stop.abort();
    };
    const options = { runtime, seed: 0, onProgress, signal: stop.signal };
    await expect(calibrate(program, requests, dataOf(feeds), options)).rejects.toThrow(/abort/);
    expect(seen).toEqual([2, 3]);
  });
});

/** The largest difference of the cumulative shares. */
function largestGap(a: Float64Array, b: Float64Array): number {
  const [totalA, totalB] = [a, b].map((counts) => counts.reduce((sum, count) => sum + count, 0)) as [number, number];
  let gap = 0;
  let difference = 0;
  for (let i = 0; i < a.length; i++) {
    difference += a[i]! / totalA - b[i]! / totalB;
    gap = Math.max(gap, Math.abs(difference));
  }
  return gap;
}
