import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Emitter, Graph, Program, type Value } from "../program/index.ts";
import { float32, int64, Tensor } from "../tensor/index.ts";
import { BLOCK_SIZE, type BlockWeights, dequantizeBlocks, quantizeBlocks, transpose } from "./block-weights.ts";
import { run } from "./lowering/lower-model.cases.ts";
import { normals } from "./small-models.cases.ts";

const matrices = fc
  .record({ rows: fc.integer({ min: 1, max: 4 }), rowLength: fc.integer({ min: 1, max: 80 }) })
  .chain(({ rows, rowLength }) =>
    fc.record({
      rowLength: fc.constant(rowLength),
      values: fc.float32Array({
        minLength: rows * rowLength,
        maxLength: rows * rowLength,
        noNaN: true,
        min: -100,
        max: 100,
      }),
    }),
  );

describe("quantizeBlocks", () => {
  it("puts every weight within half a step of its block's grid, whatever the shape and bits", () => {
    fc.assert(
      fc.property(matrices, fc.integer({ min: 2, max: 8 }), ({ values, rowLength }, bits) => {
        const blocks = quantizeBlocks(values, rowLength, bits);
        const back = dequantizeBlocks(blocks);
        expect(back).toHaveLength(values.length);
        values.forEach((value, at) => {
          const row = Math.floor(at / rowLength);
          const scale = blocks.scales[row * blocks.blocksPerRow + Math.floor((at % rowLength) / BLOCK_SIZE)]!;
          // A float32 scale may be a hair smaller than the exact one.
          expect(Math.abs(back[at]! - value)).toBeLessThanOrEqual((scale / 2) * (1 + 1e-5));
        });
      }),
      { seed: 1, numRuns: 100 },
    );
  });

  it("packs two codes to a byte up to 4 bits, the first in the low half, and pads with the code of zero", () => {
    const { packed, scales, blocksPerRow } = quantizeBlocks(Float32Array.of(7, -7, 3), 3, 4);
    expect({ blocksPerRow, scale: scales[0] }).toEqual({ blocksPerRow: 1, scale: 1 });
    expect([...packed.subarray(0, 3)]).toEqual([15 | (1 << 4), 11 | (8 << 4), 8 | (8 << 4)]);
    expect(packed).toHaveLength(16);
  });

  it("uses only as many levels as its bits have", () => {
    const back = dequantizeBlocks(quantizeBlocks(normals(1, 640), 64, 3));
    for (let block = 0; block < 20; block++) {
      const values = new Set(back.subarray(block * 32, block * 32 + 32).map((x) => Math.fround(x)));
      expect(values.size).toBeLessThanOrEqual(8);
    }
  });
});

describe("transpose", () => {
  it("swaps rows and columns, and back", () => {
    expect([...transpose(Float32Array.of(1, 2, 3, 4, 5, 6), 2, 3)]).toEqual([1, 4, 2, 5, 3, 6]);
    const values = normals(2, 35);
    expect(transpose(transpose(values, 5, 7), 7, 5)).toEqual(values);
  });
});

/** A program of one of ONNX Runtime's operators on blocks. */
function blockProgram(operator: string, attributes: Record<string, number>, inputs: (e: Emitter) => Value[]): Program {
  const emitter = new Emitter();
  const y = emitter.emit(operator, inputs(emitter), {
    domain: "com.microsoft",
    attributes,
    output: "y",
    dtype: "float32",
  });
  const graph = new Graph("blocks", { outputs: [y], nodes: emitter.nodes });
  return new Program(graph, [["", 21], ["com.microsoft", 1]]); // biome-ignore format: short
}

function constants({ packed, scales, rows, blocksPerRow }: BlockWeights, shape: number[], e: Emitter): [Value, Value] {
  return [
    e.constant("packed", new Tensor("uint8", shape, packed)),
    e.constant("scales", float32([rows, blocksPerRow], scales)),
  ];
}

describe("ONNX Runtime reads blocks as they are meant:", () => {
  it.each([[4, 48], [8, 48], [4, 64], [2, 33]] as const)("MatMulNBits at %i bits, rows of %i", async (bits, rowLength) => {
    const rows = 5;
    const blocks = quantizeBlocks(normals(3, rows * rowLength), rowLength, bits);
    const { storedBits, blocksPerRow } = blocks;
    const identity = Float32Array.from({ length: rowLength ** 2 }, (_, i) => (i % (rowLength + 1) === 0 ? 1 : 0));
    const attributes = { K: rowLength, N: rows, bits: storedBits, block_size: BLOCK_SIZE };
    const program = blockProgram("MatMulNBits", attributes, (e) => [
      e.constant("identity", float32([rowLength, rowLength], identity)),
      ...constants(blocks, [rows, blocksPerRow, (BLOCK_SIZE * storedBits) / 8], e),
    ]);
    // Products with ones and zeros: each number comes out as it is.
    const expected = transpose(dequantizeBlocks(blocks), rows, rowLength);
    const actual = await run(program, {});
    expected.forEach((x, i) => { expect(Math.abs(actual[i]! - x)).toBeLessThan(1e-5); }); // biome-ignore format: short
  }); // biome-ignore format: a table

  it.each([4, 8])("GatherBlockQuantized at %i bits", async (bits) => {
    const [rows, rowLength] = [6, 64];
    const blocks = quantizeBlocks(normals(4, rows * rowLength), rowLength, bits);
    const attributes = { bits, block_size: BLOCK_SIZE, gather_axis: 0, quantize_axis: 1 };
    const program = blockProgram("GatherBlockQuantized", attributes, (e) => {
      const [packed, scales] = constants(blocks, [rows, (rowLength * bits) / 8], e);
      return [packed, e.constant("rows", int64([4, 0, 5])), scales];
    });
    const all = dequantizeBlocks(blocks);
    const expected = [4, 0, 5].flatMap((row) => [...all.subarray(row * rowLength, (row + 1) * rowLength)]);
    expect([...(await run(program, {}))]).toEqual(expected);
  });
});
