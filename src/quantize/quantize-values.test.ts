import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gridFor, symmetricGrid } from "./grid.ts";
import {
  dequantize,
  dequantizePerChannel,
  fakeQuantize,
  fakeQuantizePerChannel,
  quantize,
  quantizePerChannel,
} from "./quantize-values.ts";
import { gaussSamples } from "./samples.cases.ts";

describe("quantize", () => {
  it("rounds half to even before the zero point is added, as ONNX's QuantizeLinear", () => {
    const grid = { bits: 4, scale: 1, zeroPoint: 3, lowestCode: 0 };
    expect(Array.from(quantize(new Float32Array([0.5, 1.5, 2.5, -0.5, -1.5]), grid))).toEqual([3, 5, 5, 3, 1]);
  });

  it("saturates, infinities included, and takes NaN for zero", () => {
    const grid = gridFor({ low: -1, high: 1 }, 4);
    const codes = quantize(new Float32Array([-5, 5, -Infinity, Infinity, Number.NaN]), grid);
    expect(Array.from(codes)).toEqual([0, 15, 0, 15, grid.zeroPoint]);
  });

  it("gives unsigned bytes, signed bytes, or 32-bit codes above 8 bits", () => {
    const values = new Float32Array([1]);
    expect(quantize(values, gridFor({ low: 0, high: 1 }, 8))).toBeInstanceOf(Uint8Array);
    expect(quantize(values, symmetricGrid(1, 8))).toBeInstanceOf(Int8Array);
    expect(quantize(values, gridFor({ low: 0, high: 1 }, 16))).toEqual(new Int32Array([65535]));
  });

  it("is undone by dequantize up to half a step within the range", () => {
    const numbers = fc.array(fc.float({ min: -1, max: 2, noNaN: true }), { minLength: 1 });
    fc.assert(
      fc.property(numbers, fc.integer({ min: 2, max: 8 }), (values, bits) => {
        const grid = gridFor({ low: -1, high: 2 }, bits);
        const back = dequantize(quantize(new Float32Array(values), grid), grid);
        // A step at the ends, where the window may have moved by half of one.
        values.forEach((x, i) => {
          expect(Math.abs(back[i]! - x)).toBeLessThanOrEqual(grid.scale * 1.0001);
        });
      }),
    );
  });

  it("agrees with fakeQuantize", () => {
    const values = gaussSamples(1000, 1);
    for (const grid of [gridFor({ low: -2, high: 1.3 }, 4), gridFor({ low: 4, high: 5 }, 3), symmetricGrid(2, 4)]) {
      expect(fakeQuantize(values, grid)).toEqual(dequantize(quantize(values, grid), grid));
    }
  });
});

describe("quantizePerChannel", () => {
  const shape = [3, 4, 5];
  const values = gaussSamples(60, 2);

  for (const axis of [0, 1, 2, -1]) {
    it(`treats each channel of axis ${axis} as a tensor of its own`, () => {
      const at = axis < 0 ? axis + 3 : axis;
      const channelOf = (i: number): number => [Math.floor(i / 20), Math.floor(i / 5) % 4, i % 5][at]!;
      const grids = Array.from({ length: shape[at]! }, (_, c) => gridFor({ low: -1 - c, high: 1 + 2 * c }, 2 + c));
      const where = { shape, axis };
      const codes = quantizePerChannel(values, grids, where);
      const back = dequantizePerChannel(codes, grids, where);
      const fake = fakeQuantizePerChannel(values, grids, where);
      values.forEach((x, i) => {
        const grid = grids[channelOf(i)]!;
        expect(codes[i]).toBe(quantize(new Float32Array([x]), grid)[0]);
        expect(back[i]).toBe(fakeQuantize(new Float32Array([x]), grid)[0]);
        expect(fake[i]).toBe(back[i]);
      });
    });
  }

  it("refuses grids, shapes and axes that do not fit", () => {
    const grid = gridFor({ low: 0, high: 1 }, 4);
    expect(() => quantizePerChannel(values, [grid], { shape, axis: 1 })).toThrow(
      "quantize: there must be one grid for each of 4 channels, got 1.",
    );
    expect(() => quantizePerChannel(values, [grid], { shape: [1, 7] })).toThrow(
      "quantize: the array must hold the 7 elements of its shape, got 60.",
    );
    expect(() => quantizePerChannel(values, [grid], { shape, axis: 3 })).toThrow(
      "channelLayout: axis must be one of the axes of [3, 4, 5], got 3.",
    );
  });
});
