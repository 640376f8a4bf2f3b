import { describe, expect, it } from "vitest";
import { Ops } from "../build/index.ts";
import { lowerProgram } from "../lower/index.ts";
import { writeModel } from "../onnx/index.ts";
import { Program } from "../program/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { int64 } from "../tensor/index.ts";
import { NORMAL_COEFFICIENTS } from "./normal-coefficients.ts";
import { referenceNormal, referenceUniform } from "./seeded-values.cases.ts";
import { seededValues } from "./seeded-values.ts";

const runtime = await nodeRuntime({ threads: 1 });

/** Runs several calls of random values, each at several (seed, place). */
async function draw(
  kind: "uniform" | "normal",
  shape: readonly number[],
  places: readonly (readonly [seed: number, place: number])[],
  calls = 1,
): Promise<Float32Array[][]> {
  const ops = new Ops();
  const [seed, place] = [ops.input("seed", "int64", []), ops.input("place", "int64", [])];
  const random = seededValues(ops, { seed, place, calls: { next: 0 } });
  for (let call = 0; call < calls; call++) {
    const values = random[kind](shape);
    values.name = `y${call}`;
    ops.writer.graph.outputs.push(values);
  }
  const program = new Program(ops.writer.graph, ops.writer.opsets);
  lowerProgram(program, { device: "cpu" });
  const session = await runtime.createSession(writeModel(program));
  const results: Float32Array[][] = [];
  for (const [s, p] of places) {
    const outputs = await session.run({ seed: int64([s], []), place: int64([p], []) });
    results.push(Array.from({ length: calls }, (_, call) => outputs[`y${call}`]!.data as Float32Array));
  }
  await session.release();
  return results;
}

const COUNT = 1 << 20;

function moments(values: Float32Array): { mean: number; variance: number; skew: number; kurtosis: number } {
  const power = (k: number, center: number) =>
    values.reduce((sum, value) => sum + (value - center) ** k, 0) / values.length;
  const mean = power(1, 0);
  const variance = power(2, mean);
  return { mean, variance, skew: power(3, mean) / variance ** 1.5, kurtosis: power(4, mean) / variance ** 2 };
}

/** Pearson's statistic of counts that should be equal; for many bins (statistic - bins) / sqrt(2 bins) is near normal. */
function chiSquareScore(counts: ArrayLike<number>): number {
  const total = Array.from(counts).reduce((a, b) => a + b, 0);
  const expected = total / counts.length;
  const statistic = Array.from(counts).reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  return (statistic - (counts.length - 1)) / Math.sqrt(2 * (counts.length - 1));
}

/** Correlation times the square root of the count: standard normal if there is none. */
function correlationScore(a: Float32Array, b: Float32Array, lag = 0): number {
  const n = a.length - lag;
  const mean = (x: Float32Array, from: number) => x.subarray(from, from + n).reduce((s, v) => s + v, 0) / n;
  const [ma, mb] = [mean(a, 0), mean(b, lag)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    const [da, db] = [a[i]! - ma, b[i + lag]! - mb];
    ab += da * db;
    aa += da * da;
    bb += db * db;
  }
  return (ab / Math.sqrt(aa * bb)) * Math.sqrt(n);
}

/**
 * How far a score that is standard normal for true random numbers may be off. Seeds are fixed, so the tests always pass or
 * always fail; about 60 scores are looked at, of which one in 30,000 would exceed this.
 */
const LIMIT = 4.5;

describe("seededValues", () => {
  it("gives the numbers that its definition gives in plain JavaScript, bit for bit, whatever the shape", async () => {
    for (const [shape, seed, place] of [
      [[3, 5], 7, 0],
      [[2, 1024], 0, 41],
      [[1025], 123456, 2 ** 31 + 5],
      [[], 2 ** 32 - 1, 2 ** 40 + 1],
      [[7, 11, 41], 1, 1],
    ] as const) {
      const count = (shape as readonly number[]).reduce((a, b) => a * b, 1);
      const [uniform] = await draw("uniform", shape, [[seed, place]], 2);
      expect(uniform).toEqual([0, 1].map((call) => referenceUniform(count, seed, place, call)));
      const [normal] = await draw("normal", shape, [[seed, place]], 2);
      expect(normal).toEqual([0, 2].map((call) => referenceNormal(count, seed, place, call)));
    }
  });

  it("is uniform in [0, 1): moments, and the leading and trailing bits", async () => {
    const [[values]] = (await draw("uniform", [COUNT], [[3, 14]])) as [[Float32Array]];
    const { mean, variance } = moments(values);
    expect(Math.abs(mean - 1 / 2) * Math.sqrt(12 * COUNT)).toBeLessThan(LIMIT);
    expect(Math.abs(variance - 1 / 12) * Math.sqrt(180 * COUNT)).toBeLessThan(LIMIT);
    const [leading, trailing] = [new Float64Array(4096), new Float64Array(4096)];
    for (const value of values) {
      const word = value * 2 ** 24;
      if (!Number.isInteger(word) || word < 0 || word >= 2 ** 24)
        throw new Error(`no multiple of 2^-24 in [0, 1): ${value}`);
      leading[word >> 12]!++;
      trailing[word & 4095]!++;
    }
    expect(Math.abs(chiSquareScore(leading))).toBeLessThan(LIMIT);
    expect(Math.abs(chiSquareScore(trailing))).toBeLessThan(LIMIT);
  });

  it("fills the square and the cube with pairs and triples of neighbours, along rows and columns", async () => {
    const [[values]] = (await draw("uniform", [COUNT], [[5, 0]])) as [[Float32Array]];
    for (const distance of [1, 2, 1023, 1024, 1025]) {
      const [pairs, triples] = [new Float64Array(64 ** 2), new Float64Array(16 ** 3)];
      for (let i = 0; i + 2 * distance < COUNT; i++) {
        const [a, b, c] = [values[i]!, values[i + distance]!, values[i + 2 * distance]!];
        pairs[Math.floor(a * 64) * 64 + Math.floor(b * 64)]!++;
        triples[(Math.floor(a * 16) * 16 + Math.floor(b * 16)) * 16 + Math.floor(c * 16)]!++;
      }
      expect(Math.abs(chiSquareScore(pairs)), `pairs at ${distance}`).toBeLessThan(LIMIT);
      expect(Math.abs(chiSquareScore(triples)), `triples at ${distance}`).toBeLessThan(LIMIT);
    }
  });

  it("has no correlation between elements, steps, calls and seeds", async () => {
    const places = [[0, 0], [0, 1], [0, 2], [1, 0], [2, 0], [1, 1], [2 ** 16, 0], [0, 2 ** 16]] as const; // biome-ignore format: a list
    const drawn = (await draw("uniform", [1 << 17], places, 3)).flat();
    for (let i = 0; i < drawn.length; i++) {
      for (const lag of [1, 2, 3, 1024])
        expect(Math.abs(correlationScore(drawn[i]!, drawn[i]!, lag))).toBeLessThan(LIMIT);
      for (let j = 0; j < i; j++) expect(Math.abs(correlationScore(drawn[i]!, drawn[j]!))).toBeLessThan(LIMIT);
    }
  });

  it("has no correlation along the steps where a tensor is small", async () => {
    const steps = Array.from({ length: 4000 }, (_, step) => [9, step] as const);
    const drawn = await draw("uniform", [4], steps);
    const series = Array.from({ length: 4 }, (_, i) => Float32Array.from(drawn, ([values]) => values![i]!));
    for (const one of series) {
      expect(Math.abs(moments(one).mean - 0.5) * Math.sqrt(12 * steps.length)).toBeLessThan(LIMIT);
      for (const lag of [1, 2, 256]) expect(Math.abs(correlationScore(one, one, lag))).toBeLessThan(LIMIT);
      for (const other of series) {
        if (other !== one) expect(Math.abs(correlationScore(one, other))).toBeLessThan(LIMIT);
      }
    }
  });

  it("is normal: moments and tails of a million numbers", async () => {
    const [[values]] = (await draw("normal", [COUNT], [[8, 2]])) as [[Float32Array]];
    const { mean, variance, skew, kurtosis } = moments(values);
    const score = Math.sqrt(COUNT);
    expect(Math.abs(mean) * score).toBeLessThan(LIMIT);
    expect((Math.abs(variance - 1) * score) / Math.sqrt(2)).toBeLessThan(LIMIT);
    expect((Math.abs(skew) * score) / Math.sqrt(6)).toBeLessThan(LIMIT);
    expect((Math.abs(kurtosis - 3) * score) / Math.sqrt(24)).toBeLessThan(LIMIT);
    for (const [z, probability] of [
      [1, 0.3173105],
      [2, 0.0455003],
      [3, 0.0026998],
    ] as const) {
      const beyond = values.reduce((sum, value) => sum + (Math.abs(value) > z ? 1 : 0), 0);
      const deviation = Math.sqrt(COUNT * probability * (1 - probability));
      expect(Math.abs(beyond - COUNT * probability) / deviation, `|z| > ${z}`).toBeLessThan(LIMIT);
    }
    expect(Math.abs(correlationScore(values, values, 1))).toBeLessThan(LIMIT);
  });

  it("would fail these tests with numbers that are not random", () => {
    const counter = Float32Array.from({ length: 4096 }, (_, i) => i / 4096);
    expect(Math.abs(correlationScore(counter, counter, 1))).toBeGreaterThan(LIMIT);
    expect(chiSquareScore([10, 12, 8, 400])).toBeGreaterThan(LIMIT);
  });
});

describe("NORMAL_COEFFICIENTS", () => {
  it("make the sum of four uniform numbers as normal as their comment says, over all sums", () => {
    const z = (x: number) => x * NORMAL_COEFFICIENTS.reduceRight((sum, c) => sum * x * x + c, 0);
    // Upper half of the distribution: density of the sum at x is t^3/6 - 4 max(t - 1, 0)^3/6 with t = 2 - x.
    const steps = 400_000;
    const [sums, beyond] = [[0, 0], new Map([[3, 0], [4, 0], [4.5, 0]])]; // biome-ignore format: a list
    let [cumulative, worst, nextCheck] = [0, 0, 0];
    for (let i = 0; i < steps; i++) {
      const x = ((i + 0.5) * 2) / steps;
      const t = 2 - x;
      const mass = ((t ** 3 - 4 * Math.max(t - 1, 0) ** 3) / 6) * (2 / steps);
      sums[0]! += 2 * mass * z(x) ** 2;
      sums[1]! += 2 * mass * z(x) ** 4;
      for (const limit of beyond.keys()) if (z(x) > limit) beyond.set(limit, beyond.get(limit)! + mass);
      cumulative += mass;
      if (z(x) < nextCheck) continue;
      worst = Math.max(worst, Math.abs(cumulative - (normalTail(0) - normalTail(z(x)))));
      nextCheck += 0.01;
    }
    expect(worst).toBeLessThan(4e-5);
    expect(Math.abs(sums[0]! - 1)).toBeLessThan(1e-5);
    expect(Math.abs(sums[1]! - 3)).toBeLessThan(1e-3);
    expect(z(2)).toBeLessThan(5.6);
    const bounds = [0.01, 0.01, 0.05];
    [...beyond].forEach(([limit, mass], index) => {
      expect(Math.abs(mass / normalTail(limit) - 1), `beyond ${limit}`).toBeLessThan(bounds[index]!);
    });
  });
});

/** Probability of a standard normal number above z, by Simpson's rule over [z, 12]. */
function normalTail(z: number): number {
  const parts = 2000;
  const width = (12 - z) / parts;
  let sum = 0;
  for (let i = 0; i <= parts; i++) {
    const weight = i === 0 || i === parts ? 1 : i % 2 === 1 ? 4 : 2;
    sum += weight * Math.exp(-((z + i * width) ** 2) / 2);
  }
  return (sum * width) / 3 / Math.sqrt(2 * Math.PI);
}
