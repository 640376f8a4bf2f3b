import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Emitter, Graph, Program, type Value } from "../../program/index.ts";
import { float32, int64, Tensor } from "../../tensor/index.ts";
import { storedBits } from "../block-format.ts";
import { type BlockWeights, dequantizeBlocks, quantizeBlocks, transpose } from "../block-weights.ts";
import { normals } from "../small-models.cases.ts";
import { run } from "./lower-model.cases.ts";
import { packCodes, packRows, packZeroPoints } from "./pack-blocks.ts";

describe("packRows", () => {
  it("keeps every code, and begins each row with a new byte", () => {
    const cases = fc.constantFrom(2 as const, 4 as const, 8 as const).chain((bits) =>
      fc.integer({ min: 1, max: 20 }).chain((rowLength) =>
        fc.record({
          bits: fc.constant(bits),
          rowLength: fc.constant(rowLength),
          codes: fc.array(fc.integer({ min: 0, max: 2 ** bits - 1 }), {
            minLength: rowLength * 3,
            maxLength: rowLength * 3,
          }),
        }),
      ),
    );
    fc.assert(
      fc.property(cases, ({ bits, rowLength, codes }) => {
        const packed = packRows(Uint8Array.from(codes), rowLength, bits);
        const rowBytes = Math.ceil((rowLength * bits) / 8);
        expect(packed).toHaveLength(3 * rowBytes);
        codes.forEach((code, at) => {
          const bit = (at % rowLength) * bits;
          const byte = packed[Math.floor(at / rowLength) * rowBytes + (bit >> 3)]!;
          expect((byte >> (bit & 7)) & (2 ** bits - 1)).toBe(code);
        });
      }),
      { seed: 1 },
    );
  });

  it("fills the last block of a row with the code of zero", () => {
    const weights = quantizeBlocks(Float32Array.of(7, -7, 3), 3, {
      bits: 4,
      blockSize: 32,
      symmetric: true,
      clip: "max",
    });
    const packed = packCodes(weights);
    expect([...packed.subarray(0, 3)]).toEqual([15 | (1 << 4), 11 | (8 << 4), 8 | (8 << 4)]);
    expect(packed).toHaveLength(16);
  });
});

const FORMATS = [2, 3, 4, 6, 8].flatMap((bits) =>
  [true, false].flatMap((symmetric) => [16, 32, 128].map((blockSize) => ({ bits, symmetric, blockSize }))),
);

/** A program of one of ONNX Runtime's operators on blocks. */
function blockProgram(
  operator: string,
  attributes: Record<string, number>,
  inputs: (e: Emitter) => readonly Value[],
): Program {
  const emitter = new Emitter();
  const options = { domain: "com.microsoft", attributes, output: "y", dtype: "float32" as const };
  const y = emitter.emit(operator, inputs(emitter), options);
  const graph = new Graph("blocks", { outputs: [y], nodes: emitter.nodes });
  return new Program(graph, [["", 21], ["com.microsoft", 1]]); // biome-ignore format: short
}

function grids(weights: BlockWeights, e: Emitter): Value[] {
  const scales = e.constant("scales", float32([weights.rows, weights.blocksPerRow], weights.scales));
  if (weights.symmetric) return [scales];
  const packed = packZeroPoints(weights);
  return [scales, e.constant("zero_points", new Tensor("uint8", [weights.rows, packed.length / weights.rows], packed))];
}

describe.each(FORMATS)("ONNX Runtime reads $bits bits, blocks of $blockSize, symmetric $symmetric:", (format) => {
  const { blockSize } = format;
  const bits = storedBits(format.bits);

  it.each([33, 256])("MatMulNBits with rows of %i", async (rowLength) => {
    const rows = 5;
    const weights = quantizeBlocks(normals(3, rows * rowLength), rowLength, { ...format, clip: "mse" });
    const identity = Float32Array.from({ length: rowLength ** 2 }, (_, i) => (i % (rowLength + 1) === 0 ? 1 : 0));
    const program = blockProgram("MatMulNBits", { K: rowLength, N: rows, bits, block_size: blockSize }, (e) => [
      e.constant("identity", float32([rowLength, rowLength], identity)),
      e.constant(
        "codes",
        new Tensor("uint8", [rows, weights.blocksPerRow, (blockSize * bits) / 8], packCodes(weights)),
      ),
      ...grids(weights, e),
    ]);
    // Products with ones and zeros: each number comes out as it is.
    const expected = transpose(dequantizeBlocks(weights), rows, rowLength);
    const actual = await run(program, {});
    expected.forEach((x, i) => {
      expect(Math.abs(actual[i]! - x)).toBeLessThan(1e-5);
    });
  });

  it("GatherBlockQuantized", async () => {
    const [rows, rowLength] = [6, 128];
    const weights = quantizeBlocks(normals(4, rows * rowLength), rowLength, { ...format, clip: "max" });
    const attributes = { bits, block_size: blockSize, gather_axis: 0, quantize_axis: 1 };
    const program = blockProgram("GatherBlockQuantized", attributes, (e) => [
      e.constant("codes", new Tensor("uint8", [rows, (rowLength * bits) / 8], packCodes(weights))),
      e.constant("rows", int64([4, 0, 5])),
      ...grids(weights, e),
    ]);
    const all = dequantizeBlocks(weights);
    const expected = [4, 0, 5].flatMap((row) => [...all.subarray(row * rowLength, (row + 1) * rowLength)]);
    expect([...(await run(program, {}))]).toEqual(expected);
  });
});
