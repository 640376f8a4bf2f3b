import { expect, it } from "vitest";
import { Ops } from "../build/index.ts";
import { writeModel } from "../onnx/index.ts";
import { Program } from "../program/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { float32, seededRandom, toNumbers, zeros } from "../tensor/index.ts";
import { lowerProgram } from "./lower-program.ts";

it("gives two layers that share their constants statistics of their own", async () => {
  const ops = new Ops();
  const random = seededRandom(5);
  const x = ops.input("x", "float32", [4, 3, 5]);
  const [ones, none] = [ops.full([3], 1), ops.constant(zeros("float32", [3]))];
  const attributes = { training_mode: 1, momentum: { float: 0 }, epsilon: { float: 0 } };
  const norm = (value: typeof x) =>
    ops.emitAll("BatchNormalization", [value, ones, none, none, none], 3, attributes) as [typeof x, typeof x, typeof x];
  const first = norm(x);
  const second = norm(ops.mul(x, 2));
  const outputs = [first[0], ops.mul(first[1], 1), ops.mul(first[2], 1), ops.mul(second[1], 1), ops.mul(second[2], 1)];
  ops.writer.graph.outputs = outputs;
  const program = new Program(ops.writer.graph, ops.writer.opsets);
  lowerProgram(program, { device: "cpu" });
  const session = await (await nodeRuntime({ threads: 1 })).createSession(writeModel(program));
  // A mean far from zero: E[x^2] - E[x]^2 would be wrong in the third digit.
  const numbers = Float32Array.from({ length: 60 }, (_, i) => 100 * (1 + (Math.floor(i / 5) % 3)) + random.normal());
  const results = await session.run({ x: float32([4, 3, 5], numbers) });
  await session.release();
  const [y, mean, variance, mean2, variance2] = session.outputNames.map((name) => [...toNumbers(results[name]!)]);
  for (let channel = 0; channel < 3; channel++) {
    const values = [...numbers].filter((_, i) => Math.floor(i / 5) % 3 === channel);
    const m = values.reduce((a, b) => a + b) / 20;
    const v = values.reduce((sum, value) => sum + (value - m) ** 2, 0) / 20;
    expect(mean![channel]! / m).toBeCloseTo(1, 6);
    expect(variance![channel]! / v).toBeCloseTo(1, 4);
    expect(mean2![channel]! / m).toBeCloseTo(2, 6);
    expect(variance2![channel]! / v).toBeCloseTo(4, 4);
    expect(Math.abs(y![channel * 5]! - (numbers[channel * 5]! - m) / Math.sqrt(v))).toBeLessThan(1e-4);
  }
});
