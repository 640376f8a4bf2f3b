import { describe, expect, it } from "vitest";
import { gradients } from "../gradients/index.ts";
import { type ActivationGrid, fakeQuantize as expectedOf } from "../quantize/index.ts";
import { float32, tensorOf } from "../tensor/index.ts";
import { fakeQuantize } from "./fake-quantize.ts";
import { runOps } from "./refine.cases.ts";

const grid: ActivationGrid = { bits: 3, scale: 0.5, zeroPoint: 2, lowestCode: 0 };
// Codes 0 to 7 stand for -1 to 2.5: two numbers are below, one is above.
const values = [-3, -1.4, -0.6, 0.1, 0.9, 2.4, 4];
const slopes = [1, -2, 3, 0.5, -1, 2, 4];

describe("fakeQuantize", () => {
  it("gives the numbers of the grid", async () => {
    const [rounded] = await runOps((ops) => {
      const x = ops.constant(float32([values.length], values));
      return [fakeQuantize(x, grid, ops.scalar(grid.scale), ops)];
    });
    expect(rounded).toEqual([...expectedOf(Float32Array.from(values), grid)]);
  });

  it("passes gradients straight through inside, and LSQ's to the scale", async () => {
    const [, dx, dscale] = await runOps((ops) => {
      const x = ops.constant(tensorOf("float64", [values.length], values));
      const scale = ops.constant(tensorOf("float64", [], [grid.scale]));
      const weighted = ops.mul(fakeQuantize(x, grid, scale, ops), ops.constant(tensorOf("float64", [7], slopes)));
      const loss = ops.reduceSum(weighted, { keepDims: false });
      return [loss, ...gradients(ops, loss, [x, scale]).map((gradient) => gradient!)];
    });
    const codes = values.map((x) => Math.min(Math.max(Math.floor(x / grid.scale + 0.5), -2), 5));
    const isInside = values.map((x) => x >= -1.25 && x <= 2.75);
    expect(isInside).toEqual([false, false, true, true, true, true, false]);
    expect(dx).toEqual(slopes.map((slope, i) => expect.closeTo(isInside[i] ? slope : 0, 12)));
    const terms = slopes.map((slope, i) => slope * (codes[i]! - (isInside[i] ? values[i]! / grid.scale : 0)));
    expect(dscale![0]).toBeCloseTo(
      terms.reduce((a, b) => a + b, 0),
      10,
    );
  });

  it("measures channels in their own units", async () => {
    const channelScales = Float32Array.of(1, 4);
    const [rounded] = await runOps((ops) => {
      const x = ops.constant(float32([1, 2, 2], [0.6, 9, 0.6, 9]));
      return [fakeQuantize(x, { ...grid, channelScales }, ops.scalar(grid.scale), ops)];
    });
    expect(rounded).toEqual([0.5, 2.5, 0, 10]);
  });
});
