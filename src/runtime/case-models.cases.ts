/** Small models for the cases that every runtime must pass. */
import { type ModelFile, type WriteOptions, writeModel } from "../onnx/index.ts";
import { Emitter, Graph, Program, type Shape, Value } from "../program/index.ts";
import { type DType, float32, Tensor, zeros } from "../tensor/index.ts";

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

/** What 99 small weights times 1 add up to in float. */
export const SMALL_WEIGHTS_SUM = 99 * 0.003;

/** Input of `quantizedAround`: 0 for the big weight, 1 for each small one. */
export const QUANTIZED_FEEDS = {
  x: float32(
    [1, 100, 1, 1],
    Array.from({ length: 100 }, (_, i) => (i === 0 ? 0 : 1)),
  ),
};

/** y = x + x, over a named batch axis. */
export function doubling(): ModelFile {
  return caseModel(({ emitter, input }) => {
    const x = input("x", "float32", ["batch", 3]);
    return [emitter.emit("Add", [x, x], { output: "y", dtype: "float32", shape: ["batch", 3] })];
  });
}

/** One input and output per tensor, called after its element type. */
export function passThrough(tensors: readonly Tensor[]): ModelFile {
  return caseModel(({ emitter, input }) =>
    tensors.map(({ dtype, shape }) =>
      emitter.emit("Identity", [input(dtype, dtype, shape)], { output: `${dtype}_out`, dtype, shape }),
    ),
  );
}

/** sum = a + b and product = a * b. */
export function twoOutputs(): ModelFile {
  return caseModel(({ emitter, input }) => {
    const [a, b] = [input("a", "float32", [1]), input("b", "float32", [1])];
    return [
      emitter.emit("Add", [a, b], { output: "sum", dtype: "float32", shape: [1] }),
      emitter.emit("Mul", [a, b], { output: "product", dtype: "float32", shape: [1] }),
    ];
  });
}

/** Float in, codes below 8 bits out. */
export function quantizing(dtype: DType): ModelFile {
  return caseModel(({ emitter, input }) => {
    const zero = emitter.constant("zero", zeros(dtype, []));
    const inputs = [input("x", "float32", [2]), emitter.constant("scale", float32([], [1])), zero];
    return [emitter.emit("QuantizeLinear", inputs, { dtype, shape: [2] })];
  });
}

/** Codes below 8 bits in, float out. */
export function dequantizing(dtype: DType): ModelFile {
  return caseModel(({ emitter, input }) => {
    const inputs = [input("x", dtype, [2]), emitter.constant("scale", float32([], [1]))];
    return [emitter.emit("DequantizeLinear", inputs, { dtype: "float32", shape: [2] })];
  });
}

/** A product of two matrices of any size: with sizes that do not fit it fails only when it runs. */
export function multiplying(): ModelFile {
  return caseModel(({ emitter, input }) => {
    const inputs = [input("a", "float32", ["rows", "depth"]), input("b", "float32", ["depth_too", "columns"])];
    return [
      emitter.emit("MatMul", inputs, { name: "product", output: "y", dtype: "float32", shape: ["rows", "columns"] }),
    ];
  });
}

/**
 * A convolution with one big weight and 99 small ones between quantized activations. ONNX Runtime may make its weights 8-bit,
 * where the small ones become 0.
 */
export function quantizedAround(): ModelFile {
  return caseModel(({ emitter, input }) => {
    const scale = emitter.constant("scale", float32([], [1 / 255]));
    const zero = emitter.constant("zero", new Tensor("uint8", [], Uint8Array.of(0)));
    const quantized = (x: Parameters<typeof emitter.emit>[1][number], output?: string) => {
      const codes = emitter.emit("QuantizeLinear", [x, scale, zero]);
      const named = output === undefined ? {} : { output, dtype: "float32" as DType, shape: [1, 1, 1, 1] };
      return emitter.emit("DequantizeLinear", [codes, scale, zero], named);
    };
    const weights = Float32Array.from({ length: 100 }, (_, i) => (i === 0 ? 1 : 0.003));
    const x = quantized(input("x", "float32", [1, 100, 1, 1]));
    const convolved = emitter.emit("Conv", [x, emitter.constant("w", float32([1, 100, 1, 1], weights))]);
    return [quantized(convolved, "y")];
  });
}
