import { describe, expect, it } from "vitest";
import { inlineFunctions, readModel, writeModel } from "../../onnx/index.ts";
import { constantValue, type Program, removeDeadNodes } from "../../program/index.ts";
import { dtypeCode, packIntegers, Tensor } from "../../tensor/index.ts";
import { programOf, randomFeeds, runtime } from "../small-models.cases.ts";
import { codeBytes, packCodes } from "./pack-codes.ts";

/** Symmetric codes of some bits. */
function codesOf(count: number, bits: number): Int8Array {
  const highest = 2 ** (bits - 1) - 1;
  return Int8Array.from({ length: count }, (_, i) => (((i * 2654435761) >>> 11) % (2 * highest + 1)) - highest);
}

/** x times integer weights, turned to floats by a Cast, from the type that the quantizer stores such codes in. */
function modelWith(rows: number, columns: number, bits: number): Program {
  const codes = codesOf(rows * columns, bits);
  const tensor =
    bits <= 4
      ? new Tensor("int4", [rows, columns], packIntegers(codes, 4))
      : new Tensor("int8", [rows, columns], codes);
  return programOf(
    { x: [3, rows] },
    (e, { x }) => {
      const weights = constantValue("w", tensor);
      const whole = bits <= 4 ? e.emit("Cast", [weights], { attributes: { to: dtypeCode("int8") } }) : weights;
      const floats = e.emit("Cast", [whole], { attributes: { to: dtypeCode("float32") } });
      return [e.emit("MatMul", [x, floats], { output: "y" })];
    },
    { opset: 21 },
  );
}

async function resultOf(program: Program): Promise<{ bytes: Uint8Array; y: Float32Array }> {
  removeDeadNodes(program.graph);
  const file = writeModel(program);
  const session = await runtime.createSession(file);
  const { y } = await session.run(randomFeeds(program));
  await session.release();
  return { bytes: file.bytes, y: y!.data as Float32Array };
}

describe("packCodes", () => {
  it.each([2, 3, 5, 6, 7])("stores weights of %d bits in as many bits, with the same results", async (bits) => {
    const [rows, columns] = [173, 205];
    const before = await resultOf(modelWith(rows, columns, bits));
    const program = modelWith(rows, columns, bits);
    packCodes(program);
    const after = await resultOf(program);
    expect(after.y).toEqual(before.y);
    const typeBits = bits <= 4 ? 4 : 8;
    const saved = before.bytes.length - after.bytes.length;
    expect(saved).toBeGreaterThan((rows * columns * (typeBits - bits)) / 8 - 1400);
    expect(after.bytes.length).toBeLessThan(codeBytes(rows * columns, bits) + 1500);
  });

  it("writes a function that can be read and inlined again", async () => {
    const program = modelWith(128, 128, 2);
    packCodes(program);
    const { y, bytes } = await resultOf(program);
    const inlined = inlineFunctions(readModel(bytes));
    expect(inlined.functions).toEqual([]);
    expect((await resultOf(inlined)).y).toEqual(y);
  });

  it.each([
    ["weights that fill their type", 128, 128, 4],
    ["weights that fill their type", 128, 128, 8],
    ["weights too few to be worth the function", 32, 32, 2],
  ])("leaves alone %s (%d x %d of %d bits)", (_, rows, columns, bits) => {
    const program = modelWith(rows, columns, bits);
    packCodes(program);
    expect(program.functions).toEqual([]);
    expect(program.graph.nodes.map(({ operator }) => operator)).not.toContain("UnpackBits");
  });

  it("counts the bytes of whichever form is smaller", () => {
    expect([2, 3, 4, 5, 8].map((bits) => codeBytes(80_000, bits))).toEqual([20_120, 30_120, 40_000, 50_120, 80_000]);
    expect(codeBytes(100, 3)).toBe(50);
  });
});
