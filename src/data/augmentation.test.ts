import { describe, expect, it } from "vitest";
import { float32, seededRandom, Tensor } from "../tensor/index.ts";
import { sampleRandom } from "./augmentation.ts";
import { colorJitter } from "./color-jitter.ts";
import { cropAndFlip } from "./crop-and-flip.ts";
import { cutout } from "./cutout.ts";
import { mixup } from "./mixup.ts";

const bytes = (shape: readonly number[], values: readonly number[]) =>
  new Tensor("uint8", shape, Uint8Array.from(values));
const numbers = (tensor: Tensor): number[] => Array.from(tensor.data as Float32Array, Number);

describe("sampleRandom", () => {
  it("gives unrelated numbers for neighbours in seed, epoch and index", () => {
    const first = (seed: number, epoch: number, index: number) => sampleRandom(seed, epoch, index).uniform();
    const all = new Set<number>();
    for (let seed = 0; seed < 10; seed++)
      for (let epoch = 0; epoch < 10; epoch++)
        for (let index = 0; index < 100; index++) all.add(first(seed, epoch, index));
    // Among 10,000 of 2^32 numbers, 0.01 pairs are expected to be equal.
    expect(all.size).toBeGreaterThan(9_997);
    expect(first(1, 2, 3)).toBe(first(1, 2, 3));
    // Mean of 10,000 uniform numbers: 0.5 with standard error 0.003.
    expect([...all].reduce((sum, value) => sum + value, 0) / all.size).toBeCloseTo(0.5, 1);
  });
});

describe("cropAndFlip", () => {
  it.each([
    ["float32", () => float32([1, 2, 3], [1, 2, 3, 4, 5, 6])],
    ["uint8", () => bytes([1, 2, 3], [1, 2, 3, 4, 5, 6])],
  ] as const)("shifts %s pictures and mirrors half of them", (_, picture) => {
    const augment = cropAndFlip({ padding: 1 });
    const random = seededRandom(0);
    const seen = new Set<string>();
    for (let i = 0; i < 300; i++) seen.add(numbers(augment({ x: picture() }, random).x!).join(" "));
    // 9 shifts, each mirrored or not.
    expect(seen.size).toBe(18);
    for (const expected of ["1 2 3 4 5 6", "3 2 1 6 5 4", "0 0 0 0 1 2", "5 6 0 0 0 0", "2 1 0 5 4 0", "0 3 2 0 6 5"])
      expect(seen).toContain(expected);
  });

  it("moves all channels alike, also further than the picture is wide", () => {
    const random = seededRandom(3);
    for (let i = 0; i < 100; i++) {
      const x = numbers(cropAndFlip({ padding: 3 })({ x: bytes([2, 2, 2], [1, 2, 3, 4, 11, 12, 13, 14]) }, random).x!);
      expect(x.slice(4)).toEqual(x.slice(0, 4).map((value) => (value === 0 ? 0 : value + 10)));
    }
  });

  it("refuses what is no picture", () => {
    expect(() => cropAndFlip()({ x: float32([2], [1, 2]) }, seededRandom(0))).toThrow(
      "cropAndFlip: pictures must be uint8 or float32 [channels, height, width], got float32 [2].",
    );
  });
});

describe("colorJitter", () => {
  it("multiplies brightness, rounds and clamps bytes", () => {
    const augment = colorJitter({ brightness: 0.5 });
    const seen = Array.from({ length: 200 }, (_, seed) =>
      numbers(augment({ x: bytes([1, 1, 3], [0, 100, 200]) }, seededRandom(seed)).x!),
    );
    for (const [black, gray, light] of seen) {
      expect(black).toBe(0);
      expect(gray).toBeGreaterThanOrEqual(50);
      expect(gray).toBeLessThanOrEqual(150);
      // Each is rounded: twice the one may be off by one from the other.
      expect(Math.abs(Math.min(255, 2 * gray!) - light!)).toBeLessThanOrEqual(1);
    }
    expect(new Set(seen.map(([, gray]) => gray)).size).toBeGreaterThan(50);
  });

  it("draws contrast around the mean gray and saturation around each pixel's gray", () => {
    const gray = float32([3, 1, 2], [10, 20, 10, 20, 10, 20]);
    const saturated = colorJitter({ saturation: 1 })({ x: gray }, seededRandom(1)).x!;
    // A gray picture has no colour to change; the luma's weights sum to 1 up to rounding.
    for (const [i, value] of numbers(saturated).entries()) expect(value).toBeCloseTo([10, 20][i % 2]!, 4);
    const contrasted = numbers(colorJitter({ contrast: 1 })({ x: float32([1, 1, 2], [10, 20]) }, seededRandom(1)).x!);
    expect(contrasted[0]! + contrasted[1]!).toBeCloseTo(30, 4);
    expect(contrasted[1]! - contrasted[0]!).not.toBeCloseTo(10, 1);
  });

  it("refuses amounts outside 0..1", () => {
    expect(() => colorJitter({ contrast: 2 })).toThrow("colorJitter: contrast must be between 0 and 1, got 2.");
  });
});

describe("cutout", () => {
  it("fills a square around any pixel, the same in all channels", () => {
    const sizes = new Set<number>();
    for (let seed = 0; seed < 100; seed++) {
      const x = bytes([2, 4, 4], Array(32).fill(9));
      const cut = numbers(cutout({ size: 2, fill: [1, 2] })({ x }, seededRandom(seed)).x!);
      const where = cut.slice(0, 16).flatMap((value, i) => (value === 1 ? [i] : []));
      expect(cut.slice(16).flatMap((value, i) => (value === 2 ? [i] : []))).toEqual(where);
      sizes.add(where.length);
    }
    expect([...sizes].sort()).toEqual([1, 2, 4]); // whole, at an edge, at a corner
    expect(() => cutout({ size: 0 })).toThrow("cutout: size must be a whole number above zero, got 0.");
  });
});

describe("mixup", () => {
  it("keeps bytes bytes and names what it added", () => {
    const batch = { x: bytes([2, 1], [0, 200]), label: new Tensor("int64", [2], BigInt64Array.of(3n, 4n)) };
    const { x, label2, mix } = mixup({ alpha: 0.4 })(batch, seededRandom(2)) as Record<string, Tensor>;
    const [m0, m1] = numbers(mix!);
    const other = numbers(label2!);
    expect(numbers(x!)).toEqual(other[0] === 3 ? [0, 200] : [Math.round(200 * (1 - m0!)), Math.round(200 * m1!)]);
    expect(x!.dtype).toBe("uint8");
  });

  it("draws shares from Beta(alpha, alpha)", () => {
    const shares = (alpha: number): number[] => {
      const count = 4000;
      const batch = {
        x: float32([count], Array(count).fill(0)),
        label: new Tensor("int64", [count], new BigInt64Array(count)),
      };
      return numbers(mixup({ alpha })(batch, seededRandom(7)).mix!);
    };
    for (const alpha of [0.2, 1, 4]) {
      const all = shares(alpha);
      const mean = all.reduce((sum, value) => sum + value, 0) / all.length;
      const variance = all.reduce((sum, value) => sum + (value - mean) ** 2, 0) / all.length;
      // Standard error of the mean is at most 0.007 and of the variance 0.003 with 4,000 draws: four of them.
      expect(Math.abs(mean - 0.5)).toBeLessThan(0.028);
      expect(Math.abs(variance - 1 / (4 * (2 * alpha + 1)))).toBeLessThan(0.012);
    }
    expect(() => mixup({ alpha: 0 })).toThrow("mixup: alpha must be above zero, got 0.");
  });
});
