/** One small model around each kind of layer, for the tests of every lowering. */
import type { Emitter, Program, Value } from "../../program/index.ts";
import { constantValue } from "../../program/index.ts";
import { int64 } from "../../tensor/index.ts";
import { programOf, weights } from "../small-models.cases.ts";

/** A model, and what is known about it. */
export interface LayerModel {
  readonly name: string;
  readonly build: () => Program;
  /** Operator that is left in the cpu model at 8-bit activations because no integer operator replaces it. */
  readonly floatOperator?: string;
  /** The rows of an embedding's table. */
  readonly rows?: number;
}

const relu = (emitter: Emitter, x: Value): Value => emitter.emit("Relu", [x]);

/** A convolution that keeps its input away from the model's own, the layer, a ReLU, and a layer after that reads it. */
function between(layer: (emitter: Emitter, x: Value) => Value, channels = 4): () => Program {
  return () =>
    programOf({ x: ["batch", 3, 8, 8] }, (emitter, { x }) => {
      const stem = [x!, weights("stem.weight", [4, 3, 3, 3], 0.3), weights("stem.bias", [4], 0.3)];
      const first = relu(emitter, emitter.emit("Conv", stem, { attributes: { pads: [1, 1, 1, 1] } }));
      const second = relu(emitter, layer(emitter, first));
      return [emitter.emit("Conv", [second, weights("last.weight", [5, channels, 1, 1], 0.5)], { output: "y" })];
    });
}

const PADDED = { pads: [1, 1, 1, 1] };

/** Layers with a spatial extent. */
const convolutions: readonly LayerModel[] = [
  {
    name: "conv with bias",
    build: between((e, x) =>
      e.emit("Conv", [x, weights("w", [6, 4, 3, 3], 0.2), weights("b", [6], 0.2)], { attributes: PADDED }), 6),
  },
  { name: "conv without bias", build: between((e, x) => e.emit("Conv", [x, weights("w", [6, 4, 3, 3], 0.2)]), 6) },
  {
    name: "strided and dilated conv",
    build: between((e, x) =>
      e.emit("Conv", [x, weights("w", [4, 4, 3, 3], 0.2)], { attributes: { dilations: [2, 2], strides: [2, 1] } })),
  },
  {
    name: "conv with auto_pad",
    build: between((e, x) =>
      e.emit("Conv", [x, weights("w", [4, 4, 3, 3], 0.2)], { attributes: { auto_pad: "SAME_UPPER", strides: [2, 2] } })),
  },
  {
    name: "grouped conv",
    build: between((e, x) => e.emit("Conv", [x, weights("w", [4, 2, 3, 3], 0.3)], { attributes: { ...PADDED, group: 2 } })),
  },
  {
    name: "depthwise conv",
    build: between((e, x) => e.emit("Conv", [x, weights("w", [4, 1, 3, 3], 0.4)], { attributes: { ...PADDED, group: 4 } })),
  },
  {
    name: "depthwise conv with two outputs a channel",
    build: between((e, x) =>
      e.emit("Conv", [x, weights("w", [8, 1, 3, 3], 0.4), weights("b", [8], 0.1)], { attributes: { ...PADDED, group: 4 } }), 8),
  },
  {
    name: "transposed conv",
    floatOperator: "ConvTranspose",
    build: between((e, x) =>
      e.emit("ConvTranspose", [x, weights("w", [4, 6, 3, 3], 0.3), weights("b", [6], 0.2)], { attributes: { strides: [2, 2] } }), 6),
  },
  {
    name: "grouped transposed conv",
    floatOperator: "ConvTranspose",
    build: between((e, x) => e.emit("ConvTranspose", [x, weights("w", [4, 3, 2, 2], 0.4)], { attributes: { group: 2 } }), 6),
  },
  {
    name: "1-D conv",
    build: () =>
      programOf({ x: ["batch", 8, 20] }, (e, { x }) => {
        const first = relu(e, e.emit("Conv", [x!, weights("a", [8, 8, 3], 0.3), weights("b", [8], 0.2)], { attributes: { pads: [1, 1] } }));
        return [e.emit("Conv", [first, weights("c", [4, 8, 5], 0.2)], { output: "y" })];
      }),
  },
]; // biome-ignore format: a table

/** Layers that are products of matrices. */
const products: readonly LayerModel[] = [
  ...[0, 1].map((transB): LayerModel => ({
    name: `gemm with transB ${transB}`,
    build: () =>
      programOf({ x: ["batch", 12] }, (e, { x }) => {
        const [a, b] = transB ? [[16, 12], [5, 16]] : [[12, 16], [16, 5]];
        const first = relu(e, e.emit("Gemm", [x!, weights("a", a!, 0.3), weights("b", [16], 0.3)], { attributes: { transB } }));
        return [e.emit("Gemm", [first, weights("c", b!, 0.3), weights("d", [5], 0.3)], { attributes: { transB }, output: "y" })];
      }),
  })),
  {
    name: "2-D matmul without bias",
    build: () =>
      programOf({ x: ["batch", 40] }, (e, { x }) => {
        const first = relu(e, e.emit("MatMul", [x!, weights("a", [40, 33], 0.2)]));
        return [e.emit("MatMul", [first, weights("c", [33, 6], 0.2)], { output: "y" })];
      }),
  },
  {
    name: "3-D matmul with bias",
    build: () =>
      programOf({ x: ["batch", 7, 40] }, (e, { x }) => {
        const first = e.emit("Add", [e.emit("MatMul", [x!, weights("a", [40, 36], 0.2)]), weights("b", [36], 0.3)]);
        const second = e.emit("MatMul", [relu(e, first), weights("c", [36, 6], 0.2)]);
        return [e.emit("Add", [weights("d", [6], 0.3), second], { output: "y" })];
      }),
  },
  {
    name: "3-D matmul without bias",
    build: () =>
      programOf({ x: ["batch", 7, 12] }, (e, { x }) => {
        const first = relu(e, e.emit("MatMul", [x!, weights("a", [12, 36], 0.3)]));
        return [e.emit("MatMul", [first, weights("c", [36, 6], 0.2)], { output: "y" })];
      }),
  },
]; // biome-ignore format: a table

/** Tables and recurrent layers. */
const others: readonly LayerModel[] = [
  ...[32, 20].map((features): LayerModel => ({
    name: `embedding of ${features} features`,
    floatOperator: "Gather",
    rows: 11,
    build: () =>
      programOf({ x: ["batch", 3] }, (e, { x }) => {
        const table = e.emit("Gather", [weights("table", [11, features]), x!]);
        const first = relu(e, e.emit("MatMul", [table, weights("a", [features, 32], 0.3)]));
        return [e.emit("MatMul", [first, weights("c", [32, 6], 0.3)], { output: "y" })];
      }, { dtype: "int64" }),
  })),
  {
    name: "lstm",
    floatOperator: "LSTM",
    build: () =>
      programOf({ x: [5, "batch", 6] }, (e, { x }) => {
        const inputs = [x!, weights("w", [1, 32, 6], 0.4), weights("r", [1, 32, 8], 0.4), weights("b", [1, 64], 0.2)];
        const steps = e.emit("LSTM", inputs, { attributes: { hidden_size: 8 } });
        const flat = e.emit("Squeeze", [steps, constantValue("axes", int64([1]))]);
        return [e.emit("MatMul", [flat, weights("c", [8, 6], 0.4)], { output: "y" })];
      }),
  },
  {
    name: "gru in two directions",
    floatOperator: "GRU",
    build: () =>
      programOf({ x: [5, "batch", 6] }, (e, { x }) => {
        const inputs = [x!, weights("w", [2, 24, 6], 0.4), weights("r", [2, 24, 8], 0.4)];
        const steps = e.emit("GRU", inputs, { attributes: { hidden_size: 8, direction: "bidirectional" } });
        return [e.emit("MatMul", [steps, weights("c", [8, 6], 0.4)], { output: "y" })];
      }),
  },
]; // biome-ignore format: a table

/** All of them. */
export const layerModels: readonly LayerModel[] = [...convolutions, ...products, ...others];
