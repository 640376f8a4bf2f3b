import { expect, it } from "vitest";
import { Ops } from "../build/index.ts";
import { writeModel } from "../onnx/index.ts";
import { Program, type Value } from "../program/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { float32, seededRandom, toNumbers } from "../tensor/index.ts";
import { lowerProgram } from "./lower-program.ts";

type Build = (ops: Ops, a: Value, b: Value, x: Value) => Value | readonly Value[];

const product = (ops: Ops, a: Value, b: Value) => ops.emit("Gemm", [a, b], { transA: 1, alpha: { float: 0.5 } });

/** What is computed, and which operators compute it. */
const cases: Readonly<Record<string, readonly [Build, readonly string[]]>> = {
  "a velocity": [(ops, a, b, x) => ops.add(ops.mul(x, 0.9), product(ops, a, b)), ["Gemm"]],
  "a plain sum": [(ops, a, b, x) => ops.add(product(ops, a, b), x), ["Gemm"]],
  "a product that is read twice": [
    (ops, a, b, x) => {
      const ab = product(ops, a, b);
      return [ops.add(ab, x), ops.relu(ab)];
    },
    ["Gemm", "Add", "Relu"],
  ],
  "a scaled sum that is read twice": [
    (ops, a, b, x) => {
      const scaled = ops.mul(x, 0.9);
      return [ops.add(scaled, product(ops, a, b)), ops.relu(scaled)];
    },
    ["Mul", "Gemm", "Relu"],
  ],
  "a product that has a sum": [
    (ops, a, b, x) => ops.add(ops.emit("Gemm", [a, b, x], { transA: 1 }), x),
    ["Gemm", "Add"],
  ],
  "a sum of two products": [(ops, a, b) => ops.add(product(ops, a, b), product(ops, b, a)), ["Gemm", "Gemm"]],
};

async function run(build: Build, isFused: boolean): Promise<{ numbers: number[][]; operators: string[] }> {
  const ops = new Ops();
  const names = ["a", "b", "x"];
  const inputs = names.map((name) => ops.input(name, "float32", [3, 3])) as [Value, Value, Value];
  ops.writer.graph.outputs = [build(ops, ...inputs)].flat().map((value) => ops.identity(value));
  const program = new Program(ops.writer.graph, ops.writer.opsets);
  if (isFused) lowerProgram(program, { device: "cpu" });
  program.opsets.delete("modicum");
  const random = seededRandom(1);
  const feeds = names.map((name) => [
    name,
    float32(
      [3, 3],
      Float32Array.from({ length: 9 }, () => random.normal()),
    ),
  ]);
  const session = await (await nodeRuntime({ threads: 1 })).createSession(writeModel(program));
  const results = await session.run(Object.fromEntries(feeds));
  await session.release();
  return {
    numbers: session.outputNames.map((name) => [...toNumbers(results[name]!)]),
    operators: program.graph.nodes.map(({ operator }) => operator),
  };
}

it.each(Object.entries(cases))("%s keeps its value", async (_title, [build, operators]) => {
  const [plain, fused] = [await run(build, false), await run(build, true)];
  expect(fused.operators).toEqual(operators);
  fused.numbers.forEach((numbers, output) => {
    const differences = numbers.map((number, index) => Math.abs(number - plain.numbers[output]![index]!));
    // Rounding of float32 in another order.
    expect(Math.max(...differences)).toBeLessThan(1e-6);
  });
});
