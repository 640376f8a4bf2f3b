/** Models written into programs without being run: what tests and the table of docs/models.md need. */
import { Ops, Scope, type VariableDeclaration, type VariableSource } from "../build/index.ts";
import { countMacs } from "../ops/index.ts";
import { Program, type Shape } from "../program/index.ts";
import type { ModelDefinition, ModelOptions } from "./model.ts";

/** A model as a program, with its variables as inputs after the first. */
export interface Trace {
  readonly program: Program;
  readonly variables: ReadonlyMap<string, VariableDeclaration>;
  /** Numbers that are trained. */
  readonly parameters: number;
  /** Shape of the scores. */
  readonly shape: Shape | undefined;
}

/** Writes a model as in use. */
export function traceModel(
  definition: ModelDefinition,
  options: Partial<ModelOptions> = {},
  shape: Shape = [1, ...definition.sampleShape],
): Trace {
  const ops = new Ops();
  const variables = new Map<string, VariableDeclaration>();
  const values = new Map<string, ReturnType<Ops["input"]>>();
  const source: VariableSource = {
    declare: (path, declaration) => {
      const known = values.get(path);
      if (known) return known;
      const value = ops.input(path, declaration.dtype, declaration.shape);
      values.set(path, value);
      variables.set(path, declaration);
      return value;
    },
    update: () => {},
  };
  const x = ops.input("x", definition.task === "language" ? "int64" : "float32", shape);
  const model = definition.build({ classes: definition.classes, ...options });
  const scores = model(x, new Scope(ops, { variables: source, training: false }));
  ops.writer.graph.outputs = [scores];
  const parameters = [...variables.values()]
    .filter(({ role }) => role === "parameter")
    .reduce((sum, { shape: lengths }) => sum + lengths.reduce((a, b) => a * b, 1), 0);
  return { program: new Program(ops.writer.graph, ops.writer.opsets), variables, parameters, shape: scores.shape };
}

/** Multiply-accumulates of one sample as published. */
export function macsPerSample(definition: ModelDefinition): number {
  return countMacs(traceModel(definition).program).total;
}
