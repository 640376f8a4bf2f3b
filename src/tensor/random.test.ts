import { describe, expect, it } from "vitest";
import { seededRandom, shuffledIndices } from "./random.ts";

const COUNT = 100_000;

describe("seeded random numbers", () => {
  it("are the same for the same seed, and others for another", () => {
    const first = (seed: number): number[] => {
      const random = seededRandom(seed);
      return Array.from({ length: 5 }, () => random.uniform());
    };
    expect(first(1)).toEqual(first(1));
    expect(new Set([0, 1, 2, -1, 2 ** 31].flatMap(first)).size).toBe(25);
  });

  it("never change from one version to the next", () => {
    const random = seededRandom(42);
    expect([random.integer(2 ** 32), random.integer(2 ** 32), random.integer(2 ** 32)]).toMatchInlineSnapshot(`
      [
        1518397874,
        271658881,
        2061353271,
      ]
    `);
  });

  it("are uniform in [0, 1): moments and sixteen equal bins within five standard deviations", () => {
    const random = seededRandom(3);
    const values = Array.from({ length: COUNT }, () => random.uniform());
    const mean = values.reduce((sum, x) => sum + x, 0) / COUNT;
    const bins = new Array<number>(16).fill(0);
    for (const x of values) bins[Math.floor(16 * x)]!++;
    expect(Math.abs(mean - 0.5)).toBeLessThan(5 * Math.sqrt(1 / 12 / COUNT));
    const deviation = Math.sqrt(COUNT * (1 / 16) * (15 / 16));
    expect(bins.every((count) => Math.abs(count - COUNT / 16) < 5 * deviation)).toBe(true);
    expect(Math.min(...values.slice(0, 1000))).toBeGreaterThanOrEqual(0);
  });

  it("are normal: mean 0, variance 1, skewness 0 and kurtosis 3 within five standard deviations", () => {
    const random = seededRandom(5);
    const values = Array.from({ length: COUNT }, () => random.normal());
    const moment = (power: number): number => values.reduce((sum, x) => sum + x ** power, 0) / COUNT;
    // Variances of x, x^2, x^3, x^4 for the standard normal: 1, 2, 15, 96.
    for (const [power, expected, variance] of [
      [1, 0, 1],
      [2, 1, 2],
      [3, 0, 15],
      [4, 3, 96],
    ] as const) {
      expect(Math.abs(moment(power) - expected)).toBeLessThan(5 * Math.sqrt(variance / COUNT));
    }
    expect(values.every(Number.isFinite)).toBe(true);
  });

  it("shuffle: every order of three is equally likely", () => {
    const random = seededRandom(9);
    const orders = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const order = shuffledIndices(3, random).join("");
      orders.set(order, (orders.get(order) ?? 0) + 1);
    }
    expect(orders.size).toBe(6);
    // Five standard deviations of a binomial count with n = 6000, p = 1/6.
    expect(
      [...orders.values()].every((count) => Math.abs(count - 1000) < 5 * Math.sqrt(6000 * (1 / 6) * (5 / 6))),
    ).toBe(true);
  });

  it("shuffle without losing or repeating any index", () => {
    expect([...shuffledIndices(1000, seededRandom(1))].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 1000 }, (_, i) => i),
    );
    expect([...shuffledIndices(0, seededRandom(1))]).toEqual([]);
  });
});
