/** Small float models and calibration data for the tests of the pipeline. */
import { inferShapes } from "../ops/index.ts";
import { constantValue, Emitter, Graph, Program, type Shape, staticShape, Value } from "../program/index.ts";
import { nodeRuntime } from "../runtime/node.ts";
import { type DType, elementCount, float32, numberToHalf, seededRandom, Tensor } from "../tensor/index.ts";
import type { CalibrationData, Feeds } from "./options.ts";

/** One runtime for all tests of a file; one thread, so that sums are in one order. */
export const runtime = await nodeRuntime({ threads: 1 });

/** Options of `programOf`. */
export interface ProgramOptions {
  readonly opset?: number;
  readonly dtype?: DType;
}

/** Builds a program; `build` gets the inputs by name and returns the outputs. Shapes are inferred. */
export function programOf(
  inputs: Readonly<Record<string, Shape>>,
  build: (emitter: Emitter, inputs: Readonly<Record<string, Value>>) => readonly Value[],
  { opset = 17, dtype = "float32" }: ProgramOptions = {},
): Program {
  const values = Object.fromEntries(
    Object.entries(inputs).map(([name, shape]) => [name, new Value(name, dtype, shape)]),
  );
  const emitter = new Emitter();
  const outputs = build(emitter, values);
  const graph = new Graph("test", { inputs: Object.values(values), outputs: [...outputs], nodes: emitter.nodes });
  const program = new Program(graph, [["", opset]], 8);
  inferShapes(program);
  return program;
}

/** Weights: normal random numbers times `scale`, the same for the same name and shape. */
export function weights(name: string, shape: readonly number[], scale = 1, dtype: DType = "float32"): Value {
  const seed = [...name].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), elementCount(shape)) | 0;
  return constantValue(name, tensorOf(dtype, shape, normals(seed, elementCount(shape), scale)));
}

/** A constant of the given numbers. */
export function numbers(name: string, shape: readonly number[], values: readonly number[]): Value {
  return constantValue(name, float32(shape, values));
}

/** Normal random numbers. */
export function normals(seed: number, count: number, scale = 1): Float32Array {
  const random = seededRandom(seed);
  return Float32Array.from({ length: count }, () => random.normal() * scale);
}

/** A tensor of float32 numbers, rounded to float16 where that is wanted. */
export function tensorOf(dtype: DType, shape: readonly number[], values: Float32Array): Tensor {
  return dtype === "float16"
    ? new Tensor("float16", shape, Uint16Array.from(values, numberToHalf))
    : float32(shape, values);
}

/** Random inputs; symbolic axes take their length from `lengths`. Integers are indices below `rows`. */
export function randomFeeds(
  program: Program,
  seed = 1,
  { lengths = {}, rows = 4 }: { readonly lengths?: Readonly<Record<string, number>>; readonly rows?: number } = {},
): Record<string, Tensor> {
  return Object.fromEntries(
    program.graph.inputs.map((input, index) => {
      const shape = (staticShape(input) ?? input.shape!).map((axis) =>
        typeof axis === "number" ? axis : lengths[axis ?? ""]!,
      );
      const count = elementCount(shape);
      if (input.dtype !== "int64") return [input.name, tensorOf(input.dtype!, shape, normals(seed + index, count))];
      const random = seededRandom(seed + index);
      const indices = BigInt64Array.from({ length: count }, () => BigInt(random.integer(rows)));
      return [input.name, new Tensor("int64", shape, indices)];
    }),
  );
}

/** Calibration data of feeds that were made before. */
export function dataOf(feeds: readonly Feeds[], description = "test data"): CalibrationData {
  return {
    description,
    count: feeds.length,
    async *batches() {
      yield* feeds;
    },
  };
}

/** Signal-to-noise ratio of `actual` against `expected`, dB. */
export function sqnrDb(expected: ArrayLike<number>, actual: ArrayLike<number>): number {
  let signal = 0;
  let noise = 0;
  for (let i = 0; i < expected.length; i++) {
    signal += expected[i]! ** 2;
    noise += (expected[i]! - actual[i]!) ** 2;
  }
  return 10 * Math.log10(signal / noise);
}

/** The operators of a program's main graph, in order; those of ONNX Runtime's domain in full. */
export function operators(program: Program): string[] {
  return program.graph.nodes.map(({ domain, operator }) => (domain ? `${domain}.${operator}` : operator));
}
