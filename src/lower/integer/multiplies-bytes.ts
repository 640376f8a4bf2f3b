/** Finding out whether a runtime multiplies bytes right. */
import { Ops } from "../../build/index.ts";
import { writeModel } from "../../onnx/index.ts";
import { Program } from "../../program/index.ts";
import type { Runtime } from "../../runtime/index.ts";
import { Tensor, toNumbers } from "../../tensor/index.ts";

/**
 * Multiplies matrices of the largest bytes. Processors without dot products of bytes (AVX2 without VNNI) add two products in 16 bits,
 * which saturate: there, quantized products are computed in float.
 */
export async function multipliesBytes(runtime: Runtime): Promise<boolean> {
  const [rows, inner, columns] = [8, 64, 32];
  const ops = new Ops();
  const a = ops.input("a", "uint8", [rows, inner]);
  const b = ops.input("b", "int8", [inner, columns]);
  const one = ops.scalar(1);
  ops.writer.graph.outputs = [ops.emit("MatMulIntegerToFloat", [a, b, one, one], {}, { domain: "com.microsoft" })];
  const program = new Program(ops.writer.graph, ops.writer.opsets);
  program.opsets.delete("modicum");
  try {
    const session = await runtime.createSession(writeModel(program), { threads: 1 });
    try {
      for (const sign of [1, -1]) {
        const results = await session.run({
          a: new Tensor("uint8", [rows, inner], new Uint8Array(rows * inner).fill(255)),
          b: new Tensor("int8", [inner, columns], new Int8Array(inner * columns).fill(sign * 127)),
        });
        const [output] = Object.values(results);
        if (!toNumbers(output!).every((number: number) => number === sign * 255 * 127 * inner)) return false;
      }
      return true;
    } finally {
      await session.release();
    }
  } catch {
    return false;
  }
}
