import { describe, expect, it } from "vitest";
import type { Initializer } from "../build/index.ts";
import { OptionError } from "../errors.ts";
import { seededRandom } from "../tensor/index.ts";
import {
  fansOf,
  gainOf,
  heNormal,
  heUniform,
  inverseRootUniform,
  xavierNormal,
  xavierUniform,
} from "./fan-initializers.ts";
import { constant, normal, ones, truncatedNormal, uniform, zeros } from "./initializers.ts";
import { orthogonal } from "./orthogonal.ts";

const draw = (initializer: Initializer, shape: readonly number[]) =>
  Array.from(initializer(shape, seededRandom(1)) as ArrayLike<number>);

function moments(values: readonly number[]) {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(variance), low: Math.min(...values), high: Math.max(...values) };
}

describe("constants", () => {
  it("fill", () => {
    expect(draw(zeros(), [2, 2])).toEqual([0, 0, 0, 0]);
    expect(draw(ones(), [3])).toEqual([1, 1, 1]);
    expect(draw(constant(-2), [])).toEqual([-2]);
  });
});

describe("random initializers", () => {
  const shape = [60, 40, 3, 3];
  const fans = { in: 360, out: 540 };
  const count = 60 * 40 * 9;

  it("count the inputs and outputs of convolutions as PyTorch does", () => {
    expect(fansOf(shape)).toEqual(fans);
    expect(fansOf([10, 20])).toEqual({ in: 20, out: 10 });
    expect(() => fansOf([10])).toThrow(
      "fansOf: a weight must have two or more axes [outputs, inputs, ...kernel], got [10]. Use zeros, constant or uniform.",
    );
  });

  it.each([
    ["uniform", uniform({ low: -1, high: 3 }), 1, 4 / Math.sqrt(12), [-1, 3]],
    ["normal", normal({ mean: 2, standardDeviation: 0.5 }), 2, 0.5, undefined],
    // Of a standard normal number in [-2, 2]: 1 - 4 phi(2) / (2 Phi(2) - 1) = 0.7737.
    ["truncatedNormal", truncatedNormal(), 0, Math.sqrt(0.77374), [-2, 2]],
    // In [0, 0.5], where its density is almost even: checked by numerical integration.
    ["truncatedNormal in a short interval", truncatedNormal({ low: 0, high: 0.5 }), 0.244836, 0.143681, [0, 0.5]],
    [
      "xavierUniform",
      xavierUniform({ gain: 2 }),
      0,
      2 * Math.sqrt(2 / 900),
      [-2 * Math.sqrt(6 / 900), 2 * Math.sqrt(6 / 900)],
    ],
    ["xavierNormal", xavierNormal(), 0, Math.sqrt(2 / 900), undefined],
    ["heUniform", heUniform(), 0, Math.sqrt(2 / 360), [-Math.sqrt(6 / 360), Math.sqrt(6 / 360)]],
    ["heNormal", heNormal({ fan: "out", nonlinearity: "linear" }), 0, Math.sqrt(1 / 540), undefined],
    // kaiming_uniform_ with a = sqrt(5), PyTorch's own start of linear layers and convolutions.
    [
      "inverseRootUniform",
      inverseRootUniform(360),
      0,
      1 / Math.sqrt(3 * 360),
      [-1 / Math.sqrt(360), 1 / Math.sqrt(360)],
    ],
    [
      "heUniform with PyTorch's slope",
      heUniform({ nonlinearity: "leakyRelu", negativeSlope: Math.sqrt(5) }),
      0,
      1 / Math.sqrt(3 * 360),
      [-1 / Math.sqrt(360), 1 / Math.sqrt(360)],
    ],
  ] as const)("%s has its mean, deviation and bounds", (_, initializer, mean, deviation, bounds) => {
    const got = moments(draw(initializer, shape));
    // Four standard errors of 21,600 numbers; that of the deviation is below deviation / sqrt(count) for all of these.
    const error = (4 * deviation) / Math.sqrt(count);
    expect(Math.abs(got.mean - mean)).toBeLessThan(error);
    expect(Math.abs(got.deviation - deviation)).toBeLessThan(error);
    if (!bounds) return;
    expect(got.low).toBeGreaterThanOrEqual(bounds[0]);
    expect(got.high).toBeLessThanOrEqual(bounds[1]);
    expect(got.high - got.low).toBeGreaterThan(0.9 * (bounds[1] - bounds[0]));
  });

  it("give the same numbers for the same generator", () => {
    expect(draw(heNormal(), shape)).toEqual(draw(heNormal(), shape));
  });

  it("refuse options out of range", () => {
    expect(() => uniform({ low: 1, high: 0 })).toThrow(OptionError);
    expect(() => normal({ standardDeviation: -1 })).toThrow("normal: standardDeviation must not be negative, got -1.");
    expect(() => truncatedNormal({ low: 1, high: 1 })).toThrow(OptionError);
    expect(() => truncatedNormal({ mean: 9 })).toThrow(/within two standard deviations of \[-2, 2\], got 9\.$/);
  });
});

describe("gainOf", () => {
  it("is torch.nn.init.calculate_gain", () => {
    expect(gainOf("linear")).toBe(1);
    expect(gainOf("sigmoid")).toBe(1);
    expect(gainOf("tanh")).toBeCloseTo(5 / 3, 15);
    expect(gainOf("relu")).toBe(Math.SQRT2);
    expect(gainOf("leakyRelu")).toBeCloseTo(1.4141428569978354, 15);
    expect(gainOf("leakyRelu", 0.2)).toBeCloseTo(1.3867504905630728, 15);
    expect(gainOf("selu")).toBe(0.75);
  });
});

describe("orthogonal", () => {
  it.each([
    [[4, 6], "rows"],
    [[6, 4], "columns"],
    [[3, 2, 5], "rows"],
    [[5, 5], "rows"],
  ] as const)("makes the weights of shape %j have orthogonal %s of length gain", (shape, kind) => {
    const values = draw(orthogonal({ gain: 3 }), shape);
    const [rows, columns] = [shape[0], values.length / shape[0]];
    const at = (i: number, j: number) => (kind === "rows" ? values[i * columns + j]! : values[j * columns + i]!);
    const [count, length] = kind === "rows" ? [rows, columns] : [columns, rows];
    for (let a = 0; a < count; a++) {
      for (let b = 0; b < count; b++) {
        let product = 0;
        for (let i = 0; i < length; i++) product += at(a, i) * at(b, i);
        expect(product).toBeCloseTo(a === b ? 9 : 0, 12);
      }
    }
  });

  it("refuses vectors", () => {
    expect(() => draw(orthogonal(), [4])).toThrow("orthogonal: a weight must have two or more axes, got [4].");
  });
});
