import { describe, expect, it } from "vitest";
import { findLayers, type Layer } from "../prepare/index.ts";
import { constantValue, type Emitter, type Program, type Value } from "../program/index.ts";
import { float32, toFloat32 } from "../tensor/index.ts";
import { canUseBlocks, fromRows, haveSameRows, toRows } from "./block-layer.ts";
import { transpose } from "./block-weights.ts";
import { quantizeAs, relativeDifference, run } from "./lowering/lower-model.cases.ts";
import { errorFeedback } from "./refinements/error-feedback.ts";
import { halfQuadratic } from "./refinements/half-quadratic.ts";
import { dataOf, operators, programOf, randomFeeds, sqnrDb, weights } from "./small-models.cases.ts";

function layerOf(shape: readonly number[], build: (e: Emitter, x: Value) => Value): Layer {
  return findLayers(programOf({ x: shape }, (e, { x }) => [build(e, x!)]))[0]!;
}

const matMul = layerOf([2, 40], (e, x) => e.emit("MatMul", [x, weights("w", [40, 6])]));
const gemm = (attributes: Record<string, number | { float: number }>, shape = [40, 6]): Layer =>
  layerOf([40, 40], (e, x) => e.emit("Gemm", [x, weights("w", shape)], { attributes }));

describe("canUseBlocks", () => {
  it("takes products whose rows have at least a block, whichever way the weights lie", () => {
    expect([16, 32, 64].map((size) => canUseBlocks(matMul, size))).toEqual([true, true, false]);
    expect(canUseBlocks(gemm({}), 32)).toBe(true);
    expect(canUseBlocks(gemm({ transB: 1 }, [6, 40]), 32)).toBe(true);
  });

  it("takes no Gemm that does more than multiply and add", () => {
    for (const attributes of [{ transA: 1 }, { alpha: { float: 0.5 } }, { beta: { float: 2 } }]) {
      expect(canUseBlocks(gemm(attributes), 32)).toBe(false);
    }
  });
});

it("turns weights into rows, and back", () => {
  const values = toFloat32(matMul.weight.constant!.load());
  const rows = toRows(matMul, values);
  expect(rows).toEqual(transpose(values, 40, 6));
  expect(fromRows(matMul, rows)).toEqual(values);
  const flat = gemm({ transB: 1 }, [6, 40]);
  expect(toRows(flat, values)).toBe(values);
});

const VOCABULARY = 24;
const FEATURES = 64;

/** A language model in small: its table is, transposed, the matrix of its scores too. */
function tied(): Program {
  const table = weights("words", [VOCABULARY, FEATURES]);
  const numbers = toFloat32(table.constant!.load());
  const head = constantValue("head", float32([FEATURES, VOCABULARY], transpose(numbers, VOCABULARY, FEATURES)));
  return programOf(
    { x: ["batch", 5] },
    (e, { x }) => {
      const rows = e.emit("Gather", [table, x!]);
      const mixed = e.emit("Tanh", [e.emit("MatMul", [rows, weights("mix", [FEATURES, FEATURES], 0.2)])]);
      return [e.emit("MatMul", [e.emit("Add", [mixed, rows]), head], { output: "y" })];
    },
    { dtype: "int64" },
  );
}

describe("tied embeddings", () => {
  const program = tied();
  const feedsOf = (seeds: readonly number[]) =>
    seeds.map((seed) => randomFeeds(program, seed, { lengths: { batch: 16 }, rows: VOCABULARY }));
  const batches = feedsOf([1, 2, 3]);
  const tables = (quantized: Program) =>
    new Set(
      [...quantized.allNodes()].flatMap(({ inputs }) =>
        inputs.filter((value) => /^(words|head)_/.test(value?.constant ? value.name : "")),
      ),
    );

  it("are recognized by their numbers", () => {
    const [table, , head] = findLayers(program) as [Layer, Layer, Layer];
    expect(haveSameRows(table, head)).toBe(true);
    const [other] = findLayers(
      programOf({ x: ["batch", FEATURES] }, (e, { x }) => [
        e.emit("MatMul", [x, weights("w", [FEATURES, VOCABULARY])]),
      ]),
    );
    expect(haveSameRows(table, other!)).toBe(false);
  });

  it.each([2, 4, 8] as const)("are stored once at %i bits, and mean the same in both places", async (bits) => {
    const setting = { target: "cpu", weights: bits, activations: 16 } as const;
    const { program: quantized } = await quantizeAs(program, setting, batches, { correction: "none" });
    // Codes and scales, and up to 4 bits zero points.
    expect(tables(quantized).size).toBe(bits <= 4 ? 3 : 2);
    expect(operators(quantized)).toContain("Reshape");
    const simulated = await quantizeAs(program, setting, batches, {
      correction: "none",
      refinements: [halfQuadratic()],
    });
    expect(tables(simulated.program).size).toBe(bits <= 4 ? 3 : 2);
    const feeds = batches[0]!;
    // MatMulNBits rounds its inputs to int8, 32 at a time.
    const [plain, optimized] = [await run(quantized, feeds, { optimization: "disabled" }), await run(quantized, feeds)];
    expect(relativeDifference(plain, optimized)).toBeLessThan(2e-2);
  });

  it("stay stored once when rounding makes up for errors, which helps on other samples", async () => {
    const setting = { target: "cpu", weights: 3, activations: 16 } as const;
    const plain = await quantizeAs(program, setting, batches);
    const refined = await quantizeAs(program, setting, batches, {
      calibration: dataOf(batches),
      refinements: [errorFeedback()],
    });
    expect(refined.report.ladder!.at(-1)).toMatchObject({ name: "error-feedback", kept: true });
    expect(tables(refined.program).size).toBe(tables(plain.program).size);
    const [feeds] = feedsOf([9]);
    const float = await run(program, feeds!);
    const sqnr = async (quantized: Program) => sqnrDb(float, await run(quantized, feeds!));
    expect(await sqnr(refined.program)).toBeGreaterThan((await sqnr(plain.program)) + 0.1);
  });
});
