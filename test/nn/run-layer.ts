/** Runs what layers and losses write, on given numbers, with gradients and what statistics become. */
import {
  type Layer,
  Ops,
  type RandomValues,
  Scope,
  type Variable,
  type VariableDeclaration,
  type VariableSource,
} from "../../src/build/index.ts";
import { gradients } from "../../src/gradients/index.ts";
import { lowerProgram } from "../../src/lower/index.ts";
import { writeModel } from "../../src/onnx/index.ts";
import { Program, type Value } from "../../src/program/index.ts";
import type { Runtime } from "../../src/runtime/index.ts";
import { isFloat, type Tensor } from "../../src/tensor/index.ts";
import { initialTensor } from "../../src/train/initial-variables.ts";

/** What a layer or loss is run on. */
export interface RunSettings {
  readonly inputs: Readonly<Record<string, Tensor>>;
  /** Returns a variable's numbers; by default they come from its initializer. */
  readonly variable?: (path: string, declaration: VariableDeclaration, index: number) => Tensor | undefined;
  /** Default true. */
  readonly training?: boolean;
  /** What stands in for random numbers. */
  readonly random?: (ops: Ops) => RandomValues;
  /** Length of every input's first axis as it is known when the program is built. Default: its real length. */
  readonly batch?: string;
  /** Weights of y in the scalar that is differentiated; without, y must be a scalar. Default: nothing is differentiated. */
  readonly weights?: (shape: readonly number[]) => Tensor;
}

/** What came out. */
export interface RunResult {
  readonly y: Tensor;
  /** Element type and shape of y, as they were known before it ran. */
  readonly declared: string;
  /** By path. */
  readonly variables: Readonly<Record<string, Tensor>>;
  /** Of variables that the layer updates, by path. */
  readonly updates: Readonly<Record<string, Tensor>>;
  /** By path, or name of the input. */
  readonly gradients: Readonly<Record<string, Tensor>>;
}

/** Variables as inputs of the program, in the order of their declaration. */
class InputVariables implements VariableSource {
  readonly all = new Map<string, Variable>();
  readonly next = new Map<string, Value>();
  readonly #ops: Ops;

  constructor(ops: Ops) {
    this.#ops = ops;
  }

  declare(path: string, declaration: VariableDeclaration): Value {
    const value = this.all.get(path)?.value ?? this.#ops.input(path, declaration.dtype, declaration.shape);
    this.all.set(path, { ...declaration, path, value });
    return value;
  }

  update(path: string, next: Value): void {
    this.next.set(path, next);
  }
}

/** Returns the variables that a layer declares for an input like this one. */
export function declarationsOf(layer: Layer, x: Tensor, training: boolean): readonly Variable[] {
  const ops = new Ops();
  const variables = new InputVariables(ops);
  layer(ops.input("x", x.dtype, x.shape), new Scope(ops, { variables, training }));
  return [...variables.all.values()];
}

/** Builds, lowers and runs once. */
export async function runLayer(
  runtime: Runtime,
  build: (inputs: Record<string, Value>, scope: Scope) => Value,
  { inputs, variable, training = true, random, batch, weights }: RunSettings,
): Promise<RunResult> {
  const ops = new Ops();
  const given = Object.entries(inputs);
  const values = Object.fromEntries(
    given.map(([name, { dtype, shape }]) => [name, ops.input(name, dtype, batch ? [batch, ...shape.slice(1)] : shape)]),
  );
  const source = new InputVariables(ops);
  const y = build(values, new Scope(ops, { variables: source, training, random: random?.(ops) }));
  const outputs = new Map<string, Value>([["y", y]]);
  for (const [path, next] of source.next) outputs.set(`next.${path}`, next);
  if (weights) {
    const shape = ops.shapeOf(y);
    const scalar =
      shape.length === 0 ? y : ops.reduceSum(ops.mul(y, ops.constant(weights(shape))), { keepDims: false });
    const parameters = [...source.all.values()].filter(({ role }) => role === "parameter");
    const places: [string, Value][] = [
      ...Object.entries(values).filter(([, { dtype }]) => isFloat(dtype)),
      ...parameters.map(({ path, value }): [string, Value] => [path, value]),
    ];
    gradients(
      ops,
      scalar,
      places.map(([, value]) => value),
    ).forEach((gradient, index) => {
      if (gradient) outputs.set(`gradient.${places[index]![0]}`, gradient);
    });
  }
  const variables = Object.fromEntries(
    [...source.all.values()].map((one, index) => [one.path, variable?.(one.path, one, index) ?? initialTensor(one, 1)]),
  );
  const results = await execute(runtime, ops, outputs, { ...inputs, ...variables });
  const under = (prefix: string) =>
    Object.fromEntries(
      Object.entries(results).flatMap(([name, tensor]) =>
        name.startsWith(prefix) ? [[name.slice(prefix.length), tensor]] : [],
      ),
    );
  return {
    y: results.y!,
    declared: `${y.dtype} [${y.shape?.join(", ")}]`,
    variables,
    updates: under("next."),
    gradients: under("gradient."),
  };
}

async function execute(
  runtime: Runtime,
  ops: Ops,
  outputs: ReadonlyMap<string, Value>,
  feeds: Readonly<Record<string, Tensor>>,
): Promise<Record<string, Tensor>> {
  const { graph } = ops.writer;
  for (const [name, value] of outputs) {
    const named = ops.identity(value);
    named.name = name;
    graph.outputs.push(named);
  }
  const program = new Program(graph, ops.writer.opsets);
  lowerProgram(program, { device: runtime.device });
  const session = await runtime.createSession(writeModel(program));
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}
