import { beforeAll, expect, it } from "vitest";
import { describeUnless, reasonWithoutOnnxRuntimeNode } from "../../test/support/engines.ts";
import type { Runtime } from "../runtime/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { float32, type Tensor } from "../tensor/index.ts";
import { tensorCosine } from "./angles.ts";
import { compute, gaussian } from "./precision.cases.ts";
import {
  magnitudeHistogram,
  readMagnitudeHistogram,
  readRoundingStatistics,
  roundingStatistics,
} from "./rounding-statistics.ts";

describeUnless(reasonWithoutOnnxRuntimeNode(), "statistics of rounding", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await nodeRuntime({ threads: 1 });
  });

  async function statisticsOf(exact: Tensor, rounded: Tensor, limits?: readonly [number, number]) {
    const { outputs } = await compute(runtime, (ops, input) => [
      roundingStatistics(ops, {
        ...{ path: "layer", role: "activation", bits: 8, rounding: "nearest" },
        exact: input(exact),
        rounded: input(rounded),
        limits: limits && { low: ops.scalar(limits[0]), high: ops.scalar(limits[1]) },
      }),
    ]);
    return readRoundingStatistics(outputs[0]!);
  }

  it("count what is clipped, and what becomes 0", async () => {
    const exact = float32([2, 5], [0, 0.1, -0.1, 1, 2, 3, -3, -1, 0, 0.2]);
    const rounded = float32([2, 5], [0, 0, 0, 1, 2, 2, -2, -1, 0, 0]);
    const found = await statisticsOf(exact, rounded, [-2, 2]);
    expect(found.saturated).toBeCloseTo(0.2, 6);
    expect(found.underflow).toBeCloseTo(0.3, 6);
    expect(found.count).toBe(10);
    expect(found.cosine).toBeCloseTo(tensorCosine(exact, rounded), 6);
    // What lies on a limit is not clipped, and without limits nothing is.
    expect((await statisticsOf(exact, rounded, [-3, 3])).saturated).toBe(0);
    expect((await statisticsOf(exact, rounded)).saturated).toBe(0);
  });

  it("know the cosine where it is nearly 1", async () => {
    const exact = gaussian([100, 1000], 1);
    const rounded = float32(
      [100, 1000],
      (exact.data as Float32Array).map((x, i) => x + (i % 2 ? 1e-3 : -1e-3)),
    );
    const { cosine } = await statisticsOf(exact, rounded);
    // Float32 would keep no digit of 5e-7 behind 1.
    expect((1 - cosine) / 5e-7).toBeCloseTo(1, 1);
    expect((await statisticsOf(exact, exact)).cosine).toBe(1);
  });

  it("are those of nothing for zeros", async () => {
    const zeros = float32([3], [0, 0, 0]);
    expect(await statisticsOf(zeros, zeros, [0, 0])).toEqual({ cosine: 1, saturated: 0, underflow: 0, count: 3 });
  });

  it("tell how magnitudes are spread over powers of two", async () => {
    const x = float32([8], [8, -8, 4, 3, 1, -0.001, 0, 0]);
    const { outputs } = await compute(runtime, (ops, input) => [
      magnitudeHistogram(ops, input(x), 4),
      magnitudeHistogram(ops, input(float32([2], [0, 0])), 3),
      magnitudeHistogram(ops, input(float32([2], [5, -5])), 1),
    ]);
    const [spread, zeros, one] = outputs.map(readMagnitudeHistogram);
    expect(spread!.largest).toBe(8);
    expect(spread!.zeros).toBeCloseTo(0.25, 6);
    // (4, 8], (2, 4], (1, 2], the rest
    for (const [k, share] of [0.25, 0.25, 0, 0.25].entries()) expect(spread!.bins[k]).toBeCloseTo(share, 6);
    expect(zeros).toEqual({ largest: 0, zeros: 1, bins: [0, 0, 0] });
    expect(one).toEqual({ largest: 5, zeros: 0, bins: [1] });
  });
});
