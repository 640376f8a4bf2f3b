import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readModel } from "../onnx/index.ts";
import type { Program } from "../program/index.ts";
import { elementCount, float32, seededRandom, Tensor } from "../tensor/index.ts";
import { runtime } from "./check-pass.cases.ts";
import { findLayers } from "./layers/find-layers.ts";
import { isQuantized } from "./layers/is-quantized.ts";
import { prepareProgram } from "./prepare-program.ts";

const MODELS = new URL("../../../shared/data/models/", import.meta.url);
const missing = !existsSync(MODELS);
if (missing) console.warn(`prepare: the models of ${MODELS.pathname} are missing, so real models are not checked.`);

/** Random inputs: images are normal, tokens and bytes uniform below `below`; unknown lengths are 2 (batch) or `length`. */
function inputsOf(program: Program, length: number, below: number): Record<string, Tensor> {
  const random = seededRandom(1);
  const feeds: Record<string, Tensor> = {};
  for (const input of program.graph.inputs) {
    if (input.constant) continue;
    const shape = input.shape!.map((size, axis) => (typeof size === "number" ? size : axis === 0 ? 2 : length));
    const count = elementCount(shape);
    const integers = Array.from({ length: count }, () => random.integer(below));
    if (input.dtype === "int64") feeds[input.name] = new Tensor("int64", shape, BigInt64Array.from(integers, BigInt));
    else if (input.dtype === "int32") feeds[input.name] = new Tensor("int32", shape, Int32Array.from(integers));
    else
      feeds[input.name] = float32(
        shape,
        Float32Array.from(integers, () => random.normal()),
      );
  }
  return feeds;
}

/** Layers that can be quantized, by kind. */
function countKinds(program: Program): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind, reason } of findLayers(program)) if (!reason) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

describe.skipIf(missing)("real models", () => {
  it.each([
    { file: "resnet20-cifar10", kinds: { conv: 19, gemm: 1 }, changed: ["fold-batch-norm"] },
    { file: "mobilenetv2", kinds: { conv: 35, "depthwise-conv": 17, gemm: 1 }, changed: [] },
    { file: "squeezenet1.1", kinds: { conv: 26 }, changed: [] },
    { file: "mnist-cnn", kinds: { conv: 2, gemm: 1 }, changed: ["freeze-defaults", "fold-constants", "matmul-to-gemm", "fold-affine"] },
    { file: "super-resolution-x3", kinds: { conv: 4 }, changed: [] },
    { file: "magika-v3.3", kinds: { conv: 1, gemm: 1, matmul: 1 }, changed: ["matmul-to-gemm", "fold-affine"] },
    { file: "stories260k", kinds: { embedding: 1, matmul: 36 }, changed: ["merge-constants"] },
  ])("prepares $file without changing its outputs, and finds its layers", async ({ file, kinds, changed }) => {
    const program = readModel(new Uint8Array(readFileSync(new URL(`${file}.onnx`, MODELS))));
    const verify = inputsOf(program, 16, 257);
    // Folding 19 batch norms gives 3e-7 (float32 rounds to 6e-8); everything else is bit for bit the same.
    const prepared = await prepareProgram(program, { runtime, verify, tolerance: 3e-6 });
    console.log(`${file}: relative difference ${prepared.difference!.relative.toExponential(1)} after preparation`);
    expect([...prepared.changes.keys()]).toEqual(changed);
    expect(countKinds(prepared.program)).toEqual(kinds);
    expect(prepared.shapeProblem).toBeNull();
    expect(isQuantized(program)).toBe(false);
    expect(prepared.program.graph.nodes.some(({ operator }) => operator === "BatchNormalization")).toBe(false);
    const layers = findLayers(prepared.program);
    expect(layers.filter(({ isFirst }) => isFirst)).toEqual([layers[0]]);
    expect(layers.filter(({ isLast }) => isLast)).toEqual([layers.at(-1)]);
    expect(layers.at(-1)!.isClassifier).toBe(file !== "super-resolution-x3");
  }); // biome-ignore format: a table

  it("recognizes the zoo's int8 MobileNetV2 as quantized", () => {
    const program = readModel(new Uint8Array(readFileSync(new URL("mobilenetv2-12-int8.onnx", MODELS))));
    expect(isQuantized(program)).toBe(true);
  });
});
