/** What tests of precisions share: graphs that are computed at once, and random numbers that a test knows. */
import { Ops, type RandomValues } from "../build/index.ts";
import { type LoweringTarget, lowerProgram } from "../lower/index.ts";
import { writeModel } from "../onnx/index.ts";
import { Program, type Value } from "../program/index.ts";
import type { Runtime } from "../runtime/index.ts";
import { elementCount, float32, seededRandom, type Tensor } from "../tensor/index.ts";

/** What a graph was lowered to, and what came out. */
export interface Computed {
  readonly outputs: readonly Tensor[];
  /** Operators of the lowered graph, in order. */
  readonly operators: readonly string[];
}

/** Writes a graph whose inputs are tensors, lowers and runs it. */
export async function compute(
  runtime: Runtime,
  build: (ops: Ops, input: (tensor: Tensor) => Value) => readonly Value[],
  target: LoweringTarget = { device: "cpu" },
): Promise<Computed> {
  const ops = new Ops();
  const feeds: Record<string, Tensor> = {};
  const input = (tensor: Tensor): Value => {
    const name = `input${Object.keys(feeds).length}`;
    feeds[name] = tensor;
    return ops.input(name, tensor.dtype, tensor.shape);
  };
  const outputs = build(ops, input).map((value, index) => {
    const named = ops.identity(value);
    named.name = `output${index}`;
    return named;
  });
  ops.writer.graph.outputs = [...outputs];
  const program = new Program(ops.writer.graph, ops.writer.opsets);
  lowerProgram(program, target);
  const session = await runtime.createSession(writeModel(program), { threads: 1 });
  try {
    const used = new Set(session.inputNames);
    const results = await session.run(Object.fromEntries(Object.entries(feeds).filter(([name]) => used.has(name))));
    const operators = program.graph.nodes.map(({ operator }) => operator);
    return { outputs: outputs.map((_, index) => results[`output${index}`]!), operators };
  } finally {
    await session.release();
  }
}

/** Uniform numbers from a seed, fed as inputs. */
export function fedRandom(input: (tensor: Tensor) => Value, seed = 1): RandomValues {
  const random = seededRandom(seed);
  const draw = (next: () => number) => (shape: readonly number[]) =>
    input(float32(shape, Float32Array.from({ length: elementCount(shape) }, next)));
  return { uniform: draw(() => random.uniform()), normal: draw(() => random.normal()) };
}

/** Standard normal numbers. */
export function gaussian(shape: readonly number[], seed: number, scale = 1): Tensor {
  const random = seededRandom(seed);
  return float32(
    shape,
    Float32Array.from({ length: elementCount(shape) }, () => scale * random.normal()),
  );
}

/** Mean and standard error of the mean. */
export function meanOf(numbers: ArrayLike<number>): {
  readonly mean: number;
  readonly error: number;
  readonly variance: number;
} {
  const count = numbers.length;
  let sum = 0;
  for (let i = 0; i < count; i++) sum += numbers[i]!;
  const mean = sum / count;
  let squares = 0;
  for (let i = 0; i < count; i++) squares += (numbers[i]! - mean) ** 2;
  return { mean, error: Math.sqrt(squares / count / count), variance: squares / count };
}

/** |a - b| / |b|, in Euclidean norms. */
export function relativeDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [errors, squares] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    errors += (a[i]! - b[i]!) ** 2;
    squares += b[i]! ** 2;
  }
  return Math.sqrt(errors / squares);
}
