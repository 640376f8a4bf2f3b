import { describe, expect, it } from "vitest";
import { prepareProgram } from "../prepare/index.ts";
import type { Emitter, Program, Value } from "../program/index.ts";
import { seededRandom } from "../tensor/index.ts";
import { batchNormStatistics } from "./batch-norm-statistics.ts";
import type { ValueStatistics } from "./calibrate.ts";
import { histogramTotal } from "./histogram.ts";
import { numbers, programOf, runtime, weights } from "./small-models.cases.ts";

const GAMMA = [1, 0.5, 2, 0];
const BETA = [0, 1, -3, 0.25];

function normalized(e: Emitter, x: Value, output: string, beta: readonly number[] = BETA): Value {
  const convolved = e.emit("Conv", [x, weights(`${output}.w`, [4, 4, 1, 1])]);
  const parameters = [GAMMA, beta, [1, 2, 3, 4], [1, 1, 2, 2]].map((values, i) =>
    numbers(`${output}.${i}`, [4], values),
  );
  return e.emit("BatchNormalization", [convolved, ...parameters], { output });
}

async function statisticsOf(build: (e: Emitter, x: Value) => Value): Promise<Map<string, ValueStatistics>> {
  const original: Program = programOf({ x: [1, 4, 6, 6] }, (e, { x }) => [build(e, x!)]);
  const { program } = await prepareProgram(original, { runtime });
  return new Map([...batchNormStatistics(original, program)].map(([value, found]) => [value.name, found]));
}

/** Mean and variance of each channel over a million draws. */
function simulated(draw: (normal: () => number, channel: number) => number): { mean: number; variance: number }[] {
  return GAMMA.map((_, channel) => {
    const random = seededRandom(channel + 1);
    let sum = 0;
    let square = 0;
    for (let i = 0; i < DRAWS; i++) {
      const x = draw(() => random.normal(), channel);
      sum += x;
      square += x * x;
    }
    const mean = sum / DRAWS;
    return { mean, variance: square / DRAWS - mean * mean };
  });
}

const DRAWS = 200_000;

const batchNorm = (normal: () => number, c: number): number => BETA[c]! + GAMMA[c]! * normal();

/** Sampling errors: sigma / sqrt(200,000) = 0.2 % of sigma for means, 0.4 % for variances; four of those. */
function expectMoments(found: ValueStatistics, expected: readonly { mean: number; variance: number }[]): void {
  expected.forEach(({ mean, variance }, c) => {
    expect(Math.abs(found.inputs.means[c]! - mean)).toBeLessThan(0.01 * Math.sqrt(variance) + 1e-9);
    expect(Math.abs(found.inputs.variances[c]! - variance)).toBeLessThan(0.02 * variance + 1e-9);
  });
}

describe("batchNormStatistics", () => {
  it("takes mean and deviation of a batch norm's output from beta and gamma, and six deviations as its range", async () => {
    const { inputs, channels, tensor } = (await statisticsOf((e, x) => normalized(e, x, "n"))).get("n")!;
    expect([...inputs.means]).toEqual(BETA);
    expect([...inputs.variances]).toEqual(GAMMA.map((gamma) => gamma ** 2));
    expect(channels!.map(({ min, max }) => [min, max])).toEqual([[-6, 6], [-2, 4], [-15, 9], [0.25, 0.25]]);
    expect([tensor!.min, tensor!.max]).toEqual([-15, 9]);
    expect(channels![0]!.meanAbsoluteDeviation).toBeCloseTo(Math.sqrt(2 / Math.PI), 12);
    // Of the mixture: the mean of the means; the histogram's bins are 24 / 2048 wide.
    expect(tensor!.mean).toBeCloseTo(-1.75 / 4, 2);
    const total = GAMMA.reduce((sum, gamma, c) => sum + gamma ** 2 + (BETA[c]! + 1.75 / 4) ** 2, 0) / 4;
    expect(tensor!.standardDeviation).toBeCloseTo(Math.sqrt(total), 2);
    expect(histogramTotal(tensor!.histogram!) / 1e6).toBeCloseTo(1, 6);
  }); // biome-ignore format: kept short

  it.each([
    ["Relu", {}, (x: number) => Math.max(x, 0)],
    ["relu6", { bounds: [0, 6] }, (x: number) => Math.min(Math.max(x, 0), 6)],
    ["a clip around zero", { bounds: [-0.5, 0.75] }, (x: number) => Math.min(Math.max(x, -0.5), 0.75)],
  ] as const)(
    "knows the moments after %s",
    async (_, { bounds = undefined }: { bounds?: readonly number[] }, bounded) => {
      const found = await statisticsOf((e, x) => {
        const n = normalized(e, x, "n");
        if (!bounds) return e.emit("Relu", [n], { output: "bounded" });
        return e.emit("Clip", [n, ...bounds.map((bound) => numbers("bound", [], [bound]))], { output: "bounded" });
      });
      expectMoments(
        found.get("bounded")!,
        simulated((normal, c) => bounded(batchNorm(normal, c))),
      );
    },
  );

  it("adds what is independent, and joins channels", async () => {
    const found = await statisticsOf((e, x) => {
      const [a, b] = [normalized(e, x, "a"), normalized(e, x, "b", [1, 1, 1, 1])];
      const sum = e.emit("Add", [a, b], { output: "sum" });
      return e.emit("Concat", [sum, a], { output: "joined", attributes: { axis: 1 } });
    });
    expectMoments(
      found.get("sum")!,
      simulated((normal, c) => batchNorm(normal, c) + 1 + GAMMA[c]! * normal()),
    );
    expect([...found.get("joined")!.inputs.means]).toEqual([1, 2, -2, 1.25, ...BETA]);
    expect(found.get("joined")!.channels).toHaveLength(8);
  });

  it("carries moments through pools, and through Flatten only of single places", async () => {
    const pooled = await statisticsOf((e, x) => {
      const place = e.emit("GlobalAveragePool", [normalized(e, x, "n")], { output: "pooled" });
      return e.emit("Flatten", [place], { output: "flat" });
    });
    expect([...pooled.keys()]).toEqual(["n", "pooled", "flat"]);
    const flattened = await statisticsOf((e, x) => e.emit("Flatten", [normalized(e, x, "n")], { output: "flat" }));
    expect([...flattened.keys()]).toEqual(["n"]);
  });

  it("says nothing about what it cannot follow", async () => {
    const found = await statisticsOf((e, x) => {
      const n = normalized(e, x, "n");
      const own = e.emit("Conv", [e.emit("Sigmoid", [n]), weights("other", [4, 4, 1, 1])]);
      return e.emit("Add", [n, own], { output: "sum" });
    });
    expect([...found.keys()]).toEqual(["n"]);
  });

  it("finds nothing in a model without batch norms", async () => {
    expect(await statisticsOf((e, x) => e.emit("Relu", [x]))).toEqual(new Map());
  });
});
