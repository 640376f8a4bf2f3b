import { beforeAll, expect, it } from "vitest";
import { type Attributes, Ops } from "../build/index.ts";
import { writeModel } from "../onnx/index.ts";
import { Program, type Value } from "../program/index.ts";
import type { Runtime } from "../runtime/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { float32, int64, seededRandom, type Tensor, toNumbers } from "../tensor/index.ts";
import { lowerProgram } from "./lower-program.ts";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await nodeRuntime({ threads: 1 });
});

type Build = (ops: Ops, input: (shape: readonly number[]) => Value) => Value;

/** Runs a program on the processor, lowered for WebGPU or as it is. Returns the numbers and which operators there are. */
async function run(build: Build, isLowered: boolean): Promise<{ values: Float64Array; operators: string[] }> {
  const ops = new Ops();
  const random = seededRandom(5);
  const feeds: Record<string, Tensor> = {};
  const y = build(ops, (shape) => {
    const name = `x${Object.keys(feeds).length}`;
    const count = shape.reduce((a, b) => a * b, 1);
    feeds[name] = float32(
      shape,
      Float32Array.from({ length: count }, () => random.normal()),
    );
    return ops.input(name, "float32", shape);
  });
  y.name = "y";
  ops.writer.graph.outputs.push(y);
  const program = new Program(ops.writer.graph, ops.writer.opsets);
  if (isLowered) lowerProgram(program, { device: "webgpu" });
  const session = await runtime.createSession(writeModel(program));
  try {
    const operators = program.graph.nodes.map(({ operator }) => operator);
    return { values: toNumbers((await session.run(feeds)).y!), operators };
  } finally {
    await session.release();
  }
}

function transposed(shapes: readonly (readonly number[])[], attributes: Attributes): Build {
  return (ops, input) => ops.emit("ConvTranspose", shapes.map(input), attributes);
}

function sliced(
  starts: number[],
  ends: number[],
  steps: number[],
  axes: number[] = starts.map((_, axis) => axis),
): Build {
  return (ops, input) => ops.slice(input([5, 6]), { axes, starts, ends, steps });
}

const cases: readonly (readonly [title: string, build: Build])[] = [
  ["ConvTranspose in groups with a bias", transposed([[2, 6, 4, 5], [6, 1, 3, 2], [3]], { group: 3, strides: [2, 1] })],
  ["Slice backwards from the middle", sliced([3, 4], [0, 1], [-1, -2])],
  ["Slice backwards from the middle to the beginning, counted from the end", sliced([-2], [-100], [-2], [-1])],
  ["Slice backwards along one axis, forwards along the other", sliced([-3, 1], [-6, 6], [-1, 2])],
  ["Slice backwards to a place counted from the end", sliced([3], [-4], [-1], [0])],
  ["LogSoftmax", (ops, input) => ops.logSoftmax(input([3, 4]), 0)],
  ["Sign", (ops, input) => ops.sign(ops.concat([input([3]), ops.full([1], 0)], 0))],
  [
    "ReduceLogSumExp of all",
    (ops, input) => ops.emit("ReduceLogSumExp", [ops.add(input([3, 4]), 1000)], { keepdims: 0 }),
  ],
  [
    "ReduceLogSumExp over an axis",
    (ops, input) => ops.emit("ReduceLogSumExp", [input([3, 4]), ops.constant(int64([-1]))]),
  ],
];

it.each(cases)("%s is written in another form that gives the same", async (_, build) => {
  const [other, plain] = [await run(build, true), await run(build, false)];
  expect(other.operators).not.toEqual(plain.operators);
  expect(other.values.length).toBe(plain.values.length);
  // Sums in another order.
  const scale = Math.max(1, ...plain.values.map(Math.abs));
  other.values.forEach((value, index) => {
    expect(Math.abs(value - plain.values[index]!) / scale).toBeLessThan(1e-6);
  });
});

it.each([
  [
    "ConvTranspose whose groups give several channels",
    transposed(
      [
        [2, 6, 4, 5],
        [6, 2, 3, 2],
      ],
      { group: 3 },
    ),
  ],
  ["Slice backwards from the end", sliced([-1, 5], [-9, 1], [-1, -2])],
  ["Slice forwards", sliced([1], [4], [2])],
] as const)("%s stays as it is", async (_, build) => {
  expect((await run(build, true)).operators).toEqual((await run(build, false)).operators);
});
