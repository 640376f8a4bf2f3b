import { describe, expect, it } from "vitest";
import type { Program, Value } from "../program/index.ts";
import { float32, Tensor } from "../tensor/index.ts";
import { deployableGrid } from "./grid.ts";
import { measureSqnr } from "./measure.ts";
import { dequantize, quantize as quantizeValues } from "./quantize-values.ts";
import { dataOf, normals, numbers, programOf, randomFeeds, runtime, sqnrDb, tensorOf } from "./small-models.cases.ts";

const OPTIONS = { runtime, simulation: false, batches: 2 };

/** y = x * factor, and its output. */
function scaled(factor: number, dtype: "float32" | "float16" = "float32"): { program: Program; y: Value } {
  const program = programOf(
    { x: ["batch", 3] },
    (e, { x }) => [
      e.emit("Mul", [x!, e.constant("factor", tensorOf(dtype, [], Float32Array.of(factor)))], { output: "y", dtype }),
    ],
    { dtype },
  );
  return { program, y: program.graph.outputs[0]! };
}

describe("measureSqnr", () => {
  it.each(["float32", "float16"] as const)("compares the same place of two programs, in %s", async (dtype) => {
    const [float, other] = [scaled(1, dtype), scaled(0.9, dtype)];
    const feeds = [1, 2].map((seed) => randomFeeds(float.program, seed, { lengths: { batch: 50 } }));
    const pairs = [{ float: float.y, quantized: { value: other.y, grid: undefined } }];
    const lowered = { program: other.program, values: new Map() };
    const [found] = await measureSqnr(float.program, lowered, pairs, dataOf(feeds), OPTIONS);
    // A tenth is missing: 20 dB. float16 rounds 0.9 to three and a half digits.
    expect(found).toBeCloseTo(20, dtype === "float32" ? 4 : 1);
  });

  it("reads codes by their grid", async () => {
    const { program, y } = scaled(1);
    const grid = deployableGrid({ low: -2, high: 3 }, 8);
    const other = programOf({ x: ["batch", 3] }, (e, { x }) => {
      const zeroPoint = e.constant("zero", new Tensor("uint8", [], Uint8Array.of(grid.zeroPoint)));
      return [e.emit("QuantizeLinear", [x!, numbers("scale", [], [grid.scale]), zeroPoint], { dtype: "uint8" })];
    });
    const x = normals(1, 60);
    const pairs = [{ float: y, quantized: { value: other.graph.outputs[0]!, grid } }];
    const data = dataOf([{ x: float32([20, 3], x) }]);
    const [found] = await measureSqnr(program, { program: other, values: new Map() }, pairs, data, OPTIONS);
    expect(found).toBeCloseTo(sqnrDb(x, dequantize(quantizeValues(x, grid), grid)), 3);
  });

  it("is infinite without an error, and null without a signal", async () => {
    const float = scaled(2);
    const same = scaled(2);
    const pairs = [{ float: float.y, quantized: { value: same.y, grid: undefined } }];
    const lowered = { program: same.program, values: new Map() };
    const data = dataOf([{ x: tensorOf("float32", [1, 3], Float32Array.of(1, 2, 3)) }]);
    expect(await measureSqnr(float.program, lowered, pairs, data, OPTIONS)).toEqual([Number.POSITIVE_INFINITY]);
    const silence = dataOf([{ x: tensorOf("float32", [1, 3], new Float32Array(3)) }]);
    const [quiet, halved] = [scaled(2), scaled(1)];
    const silent = [{ float: quiet.y, quantized: { value: halved.y, grid: undefined } }];
    const rewritten = { program: halved.program, values: new Map() };
    expect(await measureSqnr(quiet.program, rewritten, silent, silence, OPTIONS)).toEqual([null]);
  });
});
