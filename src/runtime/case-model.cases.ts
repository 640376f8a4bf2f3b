/** Small models for the cases that every runtime must pass. */
import { type ModelFile, type WriteOptions, writeModel } from "../onnx/index.ts";
import { Emitter, Graph, Program, type Shape, Value } from "../program/index.ts";
import type { DType } from "../tensor/index.ts";

/** What the builder of a model gets: places for nodes and inputs. */
export interface ModelBuilder {
  readonly emitter: Emitter;
  /** Adds a model input. */
  input(name: string, dtype: DType, shape: Shape): Value;
}

/** Makes a serialized model whose outputs are those that `build` returns. */
export function caseModel(build: (builder: ModelBuilder) => readonly Value[], options?: WriteOptions): ModelFile {
  const emitter = new Emitter();
  const inputs: Value[] = [];
  const outputs = build({
    emitter,
    input(name, dtype, shape) {
      const value = new Value(name, dtype, shape);
      inputs.push(value);
      return value;
    },
  });
  return writeModel(new Program(new Graph("case", { inputs, outputs: [...outputs], nodes: emitter.nodes })), options);
}
