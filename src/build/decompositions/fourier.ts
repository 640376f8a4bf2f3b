/** Fourier transforms as products with matrices of cosines and sines. */
import { UnsupportedError } from "../../errors.ts";
import type { Value } from "../../program/index.ts";
import { int64 } from "../../tensor/index.ts";
import { axisFromFront, fixedNumbers } from "../fixed-numbers.ts";
import type { Ops } from "../ops.ts";
import type { Decomposition } from "./decomposition.ts";
import { mapAxis } from "./map-axis.ts";

interface Transform {
  readonly axis: number;
  /** Length of the axis before the transform, and number of frequencies after it. */
  readonly length: number;
  readonly frequencies: number;
  readonly inverse: boolean;
}

/** y[k] = sum over n of x[n] exp(-2 pi i k n / length); the inverse has the other sign, and divides by the length. */
function transform(ops: Ops, x: Value, { axis, length, frequencies, inverse }: Transform): Value {
  const last = ops.rankOf(x) - 1;
  const matrix = (wave: (angle: number) => number) =>
    Array.from({ length: frequencies }, (_, k) =>
      // The product modulo the length: angles stay small, and their cosines exact.
      Array.from({ length }, (_, n) => wave((2 * Math.PI * ((k * n) % length)) / length) / (inverse ? length : 1)),
    );
  const cosines = mapAxis(ops, x, axis, matrix(Math.cos));
  const sines = mapAxis(ops, x, axis, matrix(inverse ? (angle) => -Math.sin(angle) : Math.sin));
  if (ops.shapeOf(x)[last] === 1) return ops.concat([cosines, ops.neg(sines)], last);
  const [realCosine, imaginaryCosine] = ops.split(cosines, last, [1, 1]) as [Value, Value];
  const [realSine, imaginarySine] = ops.split(sines, last, [1, 1]) as [Value, Value];
  return ops.concat([ops.add(realCosine, imaginarySine), ops.sub(imaginaryCosine, realSine)], last);
}

/** DFT: (input [..., 1 or 2], dft_length, axis), with axis as an attribute before operator set 20. */
const dft: Decomposition = (node, ops) => {
  const x = node.input(0);
  const shape = ops.shapeOf(x);
  const oneSided = node.int("onesided", 0) === 1;
  const inverse = node.int("inverse", 0) === 1;
  if (oneSided && inverse) {
    throw new UnsupportedError(
      `${node.label}: an inverse transform must be two-sided to have a gradient, got onesided 1.`,
    );
  }
  const given = node.inputs[2]
    ? fixedNumbers(ops, node, 2, "axis")[0]!
    : node.int("axis", ops.writer.opset < 20 ? 1 : -2);
  const axis = axisFromFront(given, shape.length);
  const length = node.inputs[1] ? fixedNumbers(ops, node, 1, "dft_length")[0]! : shape[axis]!;
  const after = shape.map((_, index) => (index === axis ? length - shape[axis]! : 0));
  const whole = length === shape[axis] ? x : ops.pad(x, [...shape.map(() => 0), ...after]);
  const frequencies = oneSided ? Math.floor(length / 2) + 1 : length;
  return [transform(ops, whole, { axis, length, frequencies, inverse })];
};

/** STFT: (signal [batch, length, 1 or 2], frame_step, window, frame_length) -> [batch, frames, frequencies, 2]. */
const stft: Decomposition = (node, ops) => {
  const given = node.input(0);
  const signal = ops.rankOf(given) === 2 ? ops.unsqueeze(given, [2]) : given;
  const [step] = fixedNumbers(ops, node, 1, "frame_step") as [number];
  const window = node.inputs[2];
  const length = node.inputs[3] ? fixedNumbers(ops, node, 3, "frame_length")[0]! : ops.shapeOf(window!)[0]!;
  const [, frames, frequencies] = ops.shapeOf(node.output()) as [number, number, number];
  const places = Array.from({ length: frames * length }, (_, index) => {
    const frame = Math.floor(index / length);
    return frame * step + (index % length);
  });
  const cut = ops.gather(signal, ops.constant(int64(places, [frames, length])), 1);
  const weighted = window ? ops.mul(cut, ops.unsqueeze(window, [1])) : cut;
  return [transform(ops, weighted, { axis: 2, length, frequencies, inverse: false })];
};

/** Fourier transforms. */
export const fouriers: Readonly<Record<string, Decomposition>> = { DFT: dft, STFT: stft };
