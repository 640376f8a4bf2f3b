import { describe, expect, it } from "vitest";
import { Ops } from "../build/index.ts";
import { writeModel } from "../onnx/index.ts";
import { Program } from "../program/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { float32, int64, seededRandom, type Tensor } from "../tensor/index.ts";
import { lowerProgram } from "./lower-program.ts";

const random = seededRandom(7);
const normals = (shape: readonly number[]) =>
  float32(
    shape,
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
  );

/** What scattering means: updates in order, coordinates from the end where they are negative. */
function expected(data: Tensor, indices: Tensor, updates: Tensor, combine: (a: number, b: number) => number): number[] {
  const result = Float32Array.from(data.data as Float32Array);
  const depth = indices.shape.at(-1)!;
  const width = data.shape.slice(depth).reduce((a, b) => a * b, 1);
  const coordinates = Array.from(indices.data as BigInt64Array, Number);
  for (let place = 0; place < coordinates.length / depth; place++) {
    const row = data.shape.slice(0, depth).reduce((sum, length, axis) => {
      const at = coordinates[place * depth + axis]!;
      return sum * length + (at < 0 ? at + length : at);
    }, 0);
    for (let i = 0; i < width; i++) {
      const at = row * width + i;
      result[at] = Math.fround(combine(result[at]!, (updates.data as Float32Array)[place * width + i]!));
    }
  }
  return [...result];
}

async function scattered(data: Tensor, indices: Tensor, updates: Tensor, reduction: string) {
  const ops = new Ops();
  const inputs = { data, indices, updates };
  const values = Object.entries(inputs).map(([name, { dtype, shape }]) => ops.input(name, dtype, [...shape]));
  ops.writer.graph.outputs = [ops.emit("ScatterND", values, { reduction })];
  const program = new Program(ops.writer.graph, ops.writer.opsets);
  lowerProgram(program, { device: "cpu" });
  const session = await (await nodeRuntime({ threads: 4 })).createSession(writeModel(program));
  const [result] = Object.values(await session.run(inputs));
  await session.release();
  return {
    result: [...(result!.data as Float32Array)],
    operators: program.graph.nodes.map(({ operator }) => operator),
  };
}

describe("ScatterND with a reduction", () => {
  it.each([
    ["rows", [50, 16], [4, 100, 1], [4, 100, 16]],
    ["elements", [7, 5], [60, 2], [60]],
    ["rows within a matrix, counted from the end too", [3, 4, 2], [20, 2], [20, 2]],
    ["rows by one coordinate each", [9], [30, 1], [30]],
  ])("loses no update of a place that many threads update: %s", async (_, dataShape, indexShape, updateShape) => {
    const depth = indexShape.at(-1)!;
    const coordinates = Array.from({ length: indexShape.reduce((a, b) => a * b, 1) }, (_unused, i) => {
      const length = dataShape[i % depth]!;
      return random.integer(2 * length) - length;
    });
    const [data, updates] = [normals(dataShape), normals(updateShape)];
    const indices = int64(coordinates, indexShape);
    for (const [reduction, combine] of [
      ["add", (a: number, b: number) => a + b],
      ["mul", (a: number, b: number) => a * b],
      ["max", Math.max],
    ] as const) {
      const { result, operators } = await scattered(data, indices, updates, reduction);
      expect(result).toEqual(expected(data, indices, updates, combine));
      expect(operators).not.toContain("ScatterND");
    }
  });

  it("stays as it is without one: every place has one update", async () => {
    const { operators } = await scattered(normals([4, 2]), int64([2, 0], [2, 1]), normals([2, 2]), "none");
    expect(operators).toEqual(["ScatterND"]);
  });
});
