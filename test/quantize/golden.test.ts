import { readFile, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { printProgram } from "../../src/program/index.ts";
import { quantize } from "../../src/quantize/index.ts";
import { dataOf, numbers, programOf, randomFeeds, runtime, weights } from "../../src/quantize/small-models.cases.ts";

/**
 * Models as text, one for each target, to be reviewed by eye: a stem with a batch norm, a depthwise convolution, a residual
 * sum with ReLU, a pool and a classifier. Written anew by `MODICUM_UPDATE_GOLDEN=1 npx vitest run test/quantize/golden`;
 * read the difference before committing it.
 */
const TARGETS = [
  { name: "cpu-w4a8", options: { target: "cpu", weights: 4, activations: 8 } },
  { name: "portable-w8a8", options: { target: "portable", weights: 8, activations: 8 } },
  { name: "webgpu-w4a16", options: { target: "webgpu", weights: 4, activations: 16 } },
  { name: "simulate-w4a4", options: { simulate: true, weights: 4, activations: 4 } },
] as const;

const CHANNELS = [0, 1, 2, 3];

function model(): ReturnType<typeof programOf> {
  return programOf({ image: ["batch", 3, 8, 8] }, (e, { image }) => {
    const norm = ["gamma", "beta", "mean", "variance"].map((name, i) => numbers(name, [4], CHANNELS.map((c) => [1 + c / 4, c / 4, 0, 1][i]!)));
    const padded = { pads: [1, 1, 1, 1] };
    const stem = e.emit("Conv", [image!, weights("stem.weight", [4, 3, 3, 3], 0.3)], { name: "stem", output: "stem", attributes: padded });
    const first = e.emit("Relu", [e.emit("BatchNormalization", [stem, ...norm], { output: "normalized" })], { output: "first" });
    const inner = e.emit("Conv", [first, weights("depthwise.weight", [4, 1, 3, 3], 0.4)], { name: "depthwise", output: "inner", attributes: { ...padded, group: 4 } });
    const sum = e.emit("Relu", [e.emit("Add", [inner, first], { output: "sum" })], { output: "block" });
    const pooled = e.emit("Flatten", [e.emit("GlobalAveragePool", [sum], { output: "pooled" })], { output: "features" });
    const head = [pooled, weights("head.weight", [5, 4], 0.5), weights("head.bias", [5])];
    return [e.emit("Gemm", head, { name: "head", output: "scores", attributes: { transB: 1 } })];
  });
} // biome-ignore format: a table

describe("a small network, quantized and printed", () => {
  it.each(TARGETS)("$name", async ({ name, options }) => {
    const program = model();
    const calibration = dataOf([1, 2].map((seed) => randomFeeds(program, seed, { lengths: { batch: 4 } })));
    const { program: quantized } = await quantize(program, {
      runtime,
      calibration,
      policy: "uniform",
      range: "min-max",
      ...options,
    });
    const path = new URL(`../golden/${name}.txt`, import.meta.url);
    // Without the numbers: their last digits are the engine's and the machine's, and other tests' matter.
    const text = printProgram(quantized).replaceAll(/ \{[^}]*\}/g, "");
    if (process.env.MODICUM_UPDATE_GOLDEN) await writeFile(path, text);
    expect(text).toBe(await readFile(path, "utf8"));
  });
});
