/** The check every pass has to stand: the rewritten program computes the same outputs, run by ONNX Runtime. */
import { expect } from "vitest";
import { inferShapes } from "../ops/index.ts";
import { cloneProgram, constantValue, Emitter, Graph, Program, staticShape, Value } from "../program/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { type DType, elementCount, float32, numberToHalf, type Random, seededRandom, Tensor } from "../tensor/index.ts";
import { outputDifference } from "./difference.ts";
import type { Pass } from "./pass.ts";

/** One runtime for all tests of a file. */
export const runtime = await nodeRuntime({ threads: 1 });

/** Builds a program of float32 inputs; `build` returns its outputs. Shapes are inferred. */
export function programOf(
  inputShapes: Readonly<Record<string, readonly number[]>>,
  build: (emitter: Emitter, inputs: Readonly<Record<string, Value>>) => readonly Value[],
  options: { readonly opset?: number; readonly dtype?: DType } = {},
): Program {
  const { opset = 17, dtype = "float32" } = options;
  const inputs = Object.fromEntries(
    Object.entries(inputShapes).map(([name, shape]) => [name, new Value(name, dtype, shape)]),
  );
  const emitter = new Emitter();
  const outputs = build(emitter, inputs);
  const graph = new Graph("test", { inputs: Object.values(inputs), nodes: emitter.nodes, outputs: [...outputs] });
  const program = new Program(graph, [["", opset]], opset < 10 ? 4 : 8);
  inferShapes(program);
  return program;
}

/** A constant of normal random numbers, multiplied by `scale`. */
export function weights(name: string, shape: readonly number[], scale = 1): Value {
  const random = seededRandom(elementCount(shape) + name.length);
  return constantValue(name, float32(shape, normals(random, elementCount(shape), scale)));
}

/** A constant of the given numbers. */
export function numbers(name: string, shape: readonly number[], values: readonly number[]): Value {
  return constantValue(name, float32(shape, values));
}

function normals(random: Random, count: number, scale = 1): Float32Array {
  return Float32Array.from({ length: count }, () => random.normal() * scale);
}

/** Random inputs for a program whose input shapes are known. */
export function randomFeeds(program: Program, seed = 1): Record<string, Tensor> {
  const random = seededRandom(seed);
  return Object.fromEntries(
    program.graph.inputs.map((input) => {
      const shape = staticShape(input)!;
      const data = normals(random, elementCount(shape));
      const isHalf = input.dtype === "float16";
      const tensor = isHalf ? new Tensor("float16", shape, Uint16Array.from(data, numberToHalf)) : float32(shape, data);
      return [input.name, tensor];
    }),
  );
}

/**
 * Runs a pass on a copy of a program and expects it to change `changes` places and no output.
 *
 * The default tolerance, 1e-5 of the largest output, is float32's rounding (6e-8) times the square root of the few hundred
 * products in a sum of these tests, with room to spare; a missing bias or a wrong channel order gives more than 1e-1.
 */
export async function checkPass(
  pass: Pass,
  program: Program,
  expected: { readonly changes: number; readonly tolerance?: number },
): Promise<Program> {
  const { program: copy } = cloneProgram(program);
  expect(await pass.run(copy, { runtime })).toBe(expected.changes);
  const difference = await outputDifference(program, copy, { runtime, feeds: randomFeeds(program) });
  expect(difference.relative).toBeLessThanOrEqual(expected.tolerance ?? 1e-5);
  return copy;
}

/** The operators of a program's main graph, in order. */
export function operators(program: Program): string[] {
  return program.graph.nodes.map((node) => node.operator);
}
