/** Draws random numbers in a program on any runtime, and compares them with their definition in plain JavaScript. */
import { Ops } from "../../src/build/index.ts";
import { lowerProgram } from "../../src/lower/index.ts";
import { writeModel } from "../../src/onnx/index.ts";
import { Program } from "../../src/program/index.ts";
import type { Runtime } from "../../src/runtime/index.ts";
import { int64 } from "../../src/tensor/index.ts";
import { referenceNormal, referenceUniform } from "../../src/train/seeded-values.cases.ts";
import { seededValues } from "../../src/train/seeded-values.ts";

/** Seed, number of the step, and elements. */
const CASES = [
  [1, 0, 5],
  [7, 2 ** 31, 3000],
] as const;

/** Returns how many numbers differ from the definition, and how many there are. */
export async function compareRandomNumbers(runtime: Runtime): Promise<{ wrong: number; count: number }> {
  let [wrong, all] = [0, 0];
  for (const [seed, place, count] of CASES) {
    const ops = new Ops();
    const inputs = { seed: ops.input("seed", "int64", []), place: ops.input("place", "int64", []) };
    const random = seededValues(ops, { ...inputs, calls: { next: 0 } });
    const outputs = [random.uniform([count]), random.normal([count])];
    outputs.forEach((output, index) => {
      output.name = `y${index}`;
    });
    ops.writer.graph.outputs.push(...outputs);
    const program = new Program(ops.writer.graph, ops.writer.opsets);
    lowerProgram(program, { device: runtime.device });
    const session = await runtime.createSession(writeModel(program));
    const { y0, y1 } = await session.run({ seed: int64([seed], []), place: int64([place], []) });
    await session.release();
    for (const [tensor, reference] of [
      [y0!, referenceUniform(count, seed, place, 0)],
      [y1!, referenceNormal(count, seed, place, 1)],
    ] as const) {
      all += count;
      for (let i = 0; i < count; i++) if (!Object.is(tensor.data[i], reference[i])) wrong++;
    }
  }
  return { wrong, count: all };
}
