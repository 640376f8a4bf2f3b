/** Cases of Fourier transforms and fused embeddings. */
import type { Attributes } from "../../src/build/index.ts";
import { int64, Tensor } from "../../src/tensor/index.ts";
import { type GradientCase, normal } from "./gradient-case.ts";

interface DftCase {
  readonly shape: readonly number[];
  readonly length?: number;
  readonly axis?: number;
  readonly attributes?: Attributes;
}

function dftCase(title: string, { shape, length, axis, attributes = {} }: DftCase): GradientCase {
  return {
    title: `DFT ${title}`,
    covers: ["DFT"],
    inputs: [normal(shape)],
    build: (ops, x) => {
      const size = length === undefined ? undefined : ops.constant(int64([length], []));
      // ONNX Runtime crashes where the axis is a missing operand rather than none.
      const along = axis === undefined ? [] : [ops.constant(int64([axis], []))];
      return ops.emit("DFT", size || axis !== undefined ? [x, size, ...along] : [x], attributes);
    },
    opset: 20,
  };
}

function int32(shape: readonly number[], values: readonly number[]): Tensor {
  return new Tensor("int32", shape, Int32Array.from(values));
}

/** Transforms. */
export const transformCases: readonly GradientCase[] = [
  dftCase("of real numbers", { shape: [2, 5, 1] }),
  dftCase("of complex numbers", { shape: [1, 6, 2] }),
  dftCase("of complex numbers, inverse", { shape: [1, 5, 2], attributes: { inverse: 1 } }),
  dftCase("of real numbers, one side", { shape: [2, 6, 1], attributes: { onesided: 1 } }),
  dftCase("along another axis", { shape: [4, 2, 2], axis: 0 }),
  dftCase("longer than the signal", { shape: [1, 4, 1], length: 7 }),
  dftCase("shorter than the signal", { shape: [1, 6, 2], length: 4 }),
  {
    title: "DFT with its axis as an attribute (operator set 17)",
    covers: ["DFT"],
    inputs: [normal([3, 2, 4, 1])],
    build: (ops, x) => ops.emit("DFT", [x], { axis: 2 }),
    opset: 18,
  },
  {
    title: "STFT with a window, one side",
    covers: ["STFT"],
    inputs: [normal([2, 10, 1]), normal([4])],
    build: (ops, signal, window) => ops.emit("STFT", [signal, ops.constant(int64([3], [])), window]),
  },
  {
    title: "STFT of complex numbers without a window",
    covers: ["STFT"],
    inputs: [normal([1, 9, 2])],
    build: (ops, signal) =>
      ops.emit("STFT", [signal, ops.constant(int64([2], [])), undefined, ops.constant(int64([5], []))], {
        onesided: 0,
      }),
  },
  {
    title: "EmbedLayerNormalization",
    covers: ["com.microsoft:EmbedLayerNormalization"],
    inputs: [
      int32([2, 3], [3, 0, 3, 1, 1, 2]),
      int32([2, 3], [0, 0, 1, 0, 1, 1]),
      normal([4, 4]),
      normal([3, 4]),
      normal([2, 4]),
      normal([4]),
      normal([4]),
    ],
    build: (ops, ...operands) => {
      const outputs = ops.emitAll("EmbedLayerNormalization", operands, 3, {}, { domain: "com.microsoft" });
      return [outputs[0]!, outputs[2]!];
    },
  },
];
