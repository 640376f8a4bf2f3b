import { describe, expect, it } from "vitest";
import type { Program } from "../program/index.ts";
import { float32 } from "../tensor/index.ts";
import { run } from "./lowering/lower-model.cases.ts";
import type { Feeds } from "./options.ts";
import { quantize } from "./quantize.ts";
import { dataOf, normals, operators, programOf, runtime, sqnrDb, weights } from "./small-models.cases.ts";

/** A convolution, an activation function, and what reads its places: a maximum or an average. */
function modelWith(pool: string): Program {
  return programOf({ x: [1, 4, 48, 48] }, (e, { x }) => {
    const convolved = e.emit("Conv", [x!, weights("w", [8, 4, 1, 1], 0.5)], { name: "conv", output: "c" });
    const active = e.emit("Tanh", [e.emit("Mul", [convolved, weights("gain", [1, 8, 1, 1], 0.2)])]);
    const pooled = e.emit(pool, [e.emit("Mul", [active, convolved])]);
    return [e.emit("Gemm", [e.emit("Flatten", [pooled]), weights("head", [8, 3], 0.3)], { name: "head", output: "y" })];
  });
}

/** Normal numbers; with outliers, one place of the first sample is `outlier` times as large. */
function samples(outlier: number): Feeds[] {
  return [1, 2, 3].map((seed) => {
    const values = normals(seed, 4 * 2304);
    if (seed === 1) for (let c = 0; c < 4; c++) values[c * 2304 + 77]! *= outlier;
    return { x: float32([1, 4, 48, 48], values) };
  });
}

describe("a result whose largest values a maximum picks", () => {
  it("stays in float when 8 bits that hold those are too coarse for the rest, and the report says why", async () => {
    const program = modelWith("GlobalMaxPool");
    const feeds = samples(300);
    const { program: quantized, report } = await quantize(program, {
      runtime,
      policy: "uniform",
      calibration: dataOf(feeds),
    });
    expect(operators(quantized).slice(0, 3)).toEqual(["Cast", "Mul", "Conv"]);
    expect(report.layers.find(({ name }) => name === "conv")).toMatchObject({
      weightBits: 8,
      activationBits: 32,
      note: expect.stringMatching(/^computes in float: a maximum picks the outliers/),
    });
    expect(report.layers.find(({ name }) => name === "head")!.note).toBeNull();
    expect(sqnrDb(await run(program, feeds[0]!), await run(quantized, feeds[0]!))).toBeGreaterThan(20);
  });

  it.each([
    ["there are no outliers", "GlobalMaxPool", 1],
    ["an average reads them, so that they can be clipped", "GlobalAveragePool", 300],
  ])("is in integers when %s", async (_, pool, outlier) => {
    const { program, report } = await quantize(modelWith(pool), {
      runtime,
      policy: "uniform",
      calibration: dataOf(samples(outlier)),
    });
    expect(operators(program)).toContain("QLinearConv");
    expect(report.layers.map(({ note }) => note)).toEqual([null, null]);
  });
});
