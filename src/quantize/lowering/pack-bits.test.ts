import { describe, expect, it } from "vitest";
import { writeModel } from "../../onnx/index.ts";
import { constantValue, type Program, removeDeadNodes, type Value } from "../../program/index.ts";
import { type DType, Tensor } from "../../tensor/index.ts";
import { programOf, randomFeeds, runtime } from "../small-models.cases.ts";
import { packBits } from "./pack-bits.ts";

/** A table of two values, by the parity of a hash of the index. */
function table(dtype: DType, shape: readonly number[], low: number, high: number): Value {
  const count = shape.reduce((product, length) => product * length, 1);
  const choose = (i: number): number => (((i * 2654435761) >>> 13) % 3 === 0 ? high : low);
  const numbers = Array.from({ length: count }, (_, i) => choose(i));
  const data =
    dtype === "int64"
      ? BigInt64Array.from(numbers, BigInt)
      : dtype === "bool"
        ? Uint8Array.from(numbers)
        : Float32Array.from(numbers);
  return constantValue("table", new Tensor(dtype, shape, data));
}

/** x of 3 rows, added to a table (or chosen by it, when it is of truth values). */
function modelWith(mask: Value): Program {
  const length = mask.constant!.shape.at(-1)!;
  return programOf({ x: [mask.constant!.shape[0]!, length] }, (e, { x }) => {
    if (mask.dtype === "bool") return [e.emit("Where", [mask, x, constantValue("no", new Tensor("float32", [], Float32Array.of(-1)))], { output: "y" })];
    const floats = mask.dtype === "float32" ? mask : e.emit("Cast", [mask], { attributes: { to: 1 } });
    return [e.emit("Add", [x, floats], { output: "y" })];
  }); // biome-ignore format: two forms
}

async function resultOf(program: Program): Promise<{ bytes: number; y: Float32Array }> {
  const file = writeModel(program);
  const session = await runtime.createSession(file);
  const { y } = await session.run(randomFeeds(program));
  await session.release();
  return { bytes: file.bytes.length, y: y!.data as Float32Array };
}

describe("packBits", () => {
  it.each([
    ["bool", 0, 1, [64, 512]],
    ["float32", -3.4028234663852886e38, 0, [64, 128]],
    ["float32", Number.NEGATIVE_INFINITY, 0, [37, 37]],
    ["int64", -7, 3, [33, 31]],
  ] as const)("stores a table of %s %d and %d as bits, with the same results", async (dtype, low, high, shape) => {
    const program = modelWith(table(dtype, shape, low, high));
    const before = await resultOf(program);
    packBits(program);
    removeDeadNodes(program.graph);
    const after = await resultOf(program);
    expect(after.y).toEqual(before.y);
    const elements = shape[0] * shape[1];
    const width = { bool: 1, float32: 4, int64: 8 }[dtype];
    // Without the nodes that unpack.
    expect(before.bytes - after.bytes).toBeGreaterThan(elements * (width - 1 / 8) - 800);
  });

  it("leaves alone what has more values, is small, or belongs to a sub-graph", () => {
    const three = table("float32", [64, 64], 0, 1);
    (three.constant!.load().data as Float32Array)[9] = 2;
    const signed = table("float32", [64, 64], 0, 1);
    (signed.constant!.load().data as Float32Array)[0] = -0;
    for (const value of [three, signed, table("float32", [8, 8], 0, 1), table("float32", [64, 64], 1, 1)]) {
      const program = modelWith(value);
      const operators = program.graph.nodes.length;
      packBits(program);
      expect(program.graph.nodes.length).toBe(operators);
    }
  });
});
