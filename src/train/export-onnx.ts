/** Trained models as ONNX files: the model function again, as in use, with its variables as constants. */
import { Ops, type Precision, Scope, type VariableDeclaration, type VariableSource } from "../build/index.ts";
import { OptionError } from "../errors.ts";
import { toIntegerModel, toPortable } from "../lower/index.ts";
import { type ModelFile, writeModel } from "../onnx/index.ts";
import { constantValue, Program, type Shape, type Value } from "../program/index.ts";
import type { DType, Tensor } from "../tensor/index.ts";

/** What is exported. */
export interface ExportOptions {
  /** Inputs by name. An axis may be named instead of counted, such as `["batch", 3, 32, 32]`, where layers allow it. */
  readonly inputs: Readonly<Record<string, { readonly shape: Shape; readonly dtype?: DType }>>;
  /** Writes the model in the scope it was trained in, and returns its outputs by name, or its only one (named "output"). */
  readonly outputs: (inputs: Readonly<Record<string, Value>>, scope: Scope) => Value | Readonly<Record<string, Value>>;
  /** The variables by path, as a training has them. */
  readonly variables: Readonly<Record<string, Tensor>>;
  /** The precision that the network was trained in. Default: numbers as they are. */
  readonly precision?: Precision | undefined;
}

/**
 * Writes a trained model as an ONNX file of standard operators: layers behave as in use (running statistics, no dropout),
 * variables are constants. The file runs wherever ONNX Runtime runs, and `quantize` takes it.
 *
 * With `precision: int8()` the file has int8 weights and integer products, on the ranges that training kept: no calibration, and the
 * decisions that the network had in training. MatMulIntegerToFloat is ONNX Runtime's own; it has no WebGPU kernel.
 *
 * @throws OptionError if a variable of the model is not among `variables`, or has another shape there.
 * @throws ShapeError, DTypeError naming the layer where the model does not fit the inputs.
 * @example
 * const { bytes } = exportOnnx({
 *   inputs: { image: { shape: ["batch", 1, 28, 28] } },
 *   outputs: ({ image }, scope) => model(image!, scope),
 *   variables: await training.variables(),
 * });
 */
export function exportOnnx(options: ExportOptions): ModelFile {
  const ops = new Ops();
  const inputs = Object.entries(options.inputs).map(([name, { shape, dtype = "float32" }]) => {
    return [name, ops.input(name, dtype, shape)] as const;
  });
  const variables = new ConstantVariables(options.variables);
  const result = options.outputs(Object.fromEntries(inputs), new Scope(ops, { variables, training: false }));
  const isParameter = (value: Value): boolean => variables.isParameter(value);
  options.precision?.apply({ ops, from: 0, variables, isParameter, training: false });
  const outputs = isValue(result) ? { output: result } : result;
  ops.writer.graph.outputs = Object.entries(outputs).map(([name, value]) => {
    const named = ops.identity(value);
    named.name = name;
    return named;
  });
  const program = new Program(ops.writer.graph, ops.writer.opsets);
  if (options.precision) toIntegerModel(program);
  toPortable(program);
  return writeModel(program);
}

function isValue(result: Value | Readonly<Record<string, Value>>): result is Value {
  return "dtype" in result && "producer" in result;
}

/** Gives every variable the numbers it has, as a constant; what it would become is of no interest. */
class ConstantVariables implements VariableSource {
  readonly #tensors: Readonly<Record<string, Tensor>>;
  readonly #values = new Map<string, Value>();
  readonly #parameters = new Set<Value>();

  constructor(tensors: Readonly<Record<string, Tensor>>) {
    this.#tensors = tensors;
  }

  declare(path: string, { shape, role }: VariableDeclaration): Value {
    const known = this.#values.get(path);
    if (known) return known;
    const tensor = this.#tensors[path];
    if (!tensor || tensor.shape.join() !== shape.join()) {
      throw new OptionError(
        `exportOnnx: variables must hold "${path}" of shape [${shape.join(", ")}], ` +
          `got ${tensor ? `[${tensor.shape.join(", ")}]` : "none"}. Write the model in the scope it was trained in.`,
      );
    }
    const value = constantValue(path, tensor);
    this.#values.set(path, value);
    if (role === "parameter") this.#parameters.add(value);
    return value;
  }

  isParameter(value: Value): boolean {
    return this.#parameters.has(value);
  }

  update(): void {}
}
