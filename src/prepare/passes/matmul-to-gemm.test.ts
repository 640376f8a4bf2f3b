import { describe, expect, it } from "vitest";
import type { Value } from "../../program/index.ts";
import { checkPass, numbers, operators, programOf, weights } from "../check-pass.cases.ts";
import { matmulToGemm } from "./matmul-to-gemm.ts";

const PARAMETERS = ["gamma", "beta", "mean", "variance"].map((name, index) => numbers(name, [3], [1, 2, 3 + index]));

describe("matmulToGemm", () => {
  it.each([9, 13])("turns a matrix product with a bias into Gemm in opset %i", async (opset) => {
    const program = programOf(
      { x: [2, 5] },
      (emitter, { x }) => [emitter.emit("Add", [emitter.emit("MatMul", [x, weights("w", [5, 3])]), PARAMETERS[0]])],
      { opset },
    );
    expect(operators(await checkPass(matmulToGemm, program, { changes: 1 }))).toEqual(["Gemm", "Add"]);
  });

  it("turns a matrix product before a batch normalization into Gemm", async () => {
    const program = programOf({ x: [2, 5] }, (emitter, { x }) => [
      emitter.emit("BatchNormalization", [emitter.emit("MatMul", [x, weights("w", [5, 3])]), ...PARAMETERS]),
    ]);
    await checkPass(matmulToGemm, program, { changes: 1 });
  });

  it.each<[string, readonly number[], Value]>([
    ["of more than two axes", [4, 2, 5], PARAMETERS[0]!],
    ["whose term differs from row to row", [2, 5], weights("rows", [2, 1])],
  ])("leaves a product %s", async (_, shape, term) => {
    const program = programOf({ x: shape }, (emitter, { x }) => [
      emitter.emit("Add", [emitter.emit("MatMul", [x, weights("w", [5, 3])]), term]),
    ]);
    await checkPass(matmulToGemm, program, { changes: 0 });
  });

  it("leaves a product without a bias", async () => {
    const program = programOf({ x: [2, 5] }, (emitter, { x }) => [
      emitter.emit("Relu", [emitter.emit("MatMul", [x, weights("w", [5, 3])])]),
    ]);
    await checkPass(matmulToGemm, program, { changes: 0 });
  });
});
