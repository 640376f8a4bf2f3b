/** What PyTorch computes, made by pytorch_reference.py, and how numbers are compared with it. */
import { readFileSync } from "node:fs";
import { elementCount, type Tensor, tensorOf, toNumbers } from "../../src/tensor/index.ts";

/** Projections of a tensor on three cosines, and the sum of its absolute values. */
export type Signature = readonly [number, number, number, number];

/** What one case of a layer or a loss gave. */
export interface ReferenceRun {
  readonly y: Signature;
  /** By path; the input's is called "x". */
  readonly gradients: Readonly<Record<string, Signature>>;
  /** What statistics became. */
  readonly updates?: Readonly<Record<string, Signature>>;
}

/** All that pytorch_reference.py wrote. */
export interface Reference {
  readonly layers: Readonly<Record<string, ReferenceRun>>;
  readonly losses: Readonly<Record<string, ReferenceRun>>;
  /** All parameters after each step. */
  readonly optimizers: Readonly<Record<string, readonly (readonly number[])[]>>;
  /** The learning rate of each step. */
  readonly schedules: Readonly<Record<string, readonly number[]>>;
}

export const reference: Reference = JSON.parse(
  readFileSync(new URL("pytorch-reference.json", import.meta.url), "utf8"),
) as Reference;

/** scale sin(i + phase) for i = 0, 1, ...: inputs and parameters, as pytorch_reference.py makes them. */
export function wave(shape: readonly number[], phase = 0, scale = 1): Tensor {
  return tensorOf("float32", shape, waveNumbers(elementCount(shape), phase, scale));
}

export function waveNumbers(count: number, phase: number, scale = 1): number[] {
  return Array.from({ length: count }, (_, i) => scale * Math.sin(i + phase));
}

export function signatureOf(tensor: Tensor): Signature {
  const values = toNumbers(tensor);
  const projection = (k: number) => values.reduce((sum, x, i) => sum + x * Math.cos(0.7 * k * i), 0);
  return [projection(1), projection(2), projection(3), values.reduce((sum, x) => sum + Math.abs(x), 0)];
}

/**
 * Returns how far a tensor is from the reference, relative to the sum of its absolute values: about the relative error of its
 * elements. 0 if both are 0 to within rounding.
 */
export function distance(tensor: Tensor, expected: Signature): number {
  const actual = signatureOf(tensor);
  const scale = Math.max(expected[3], 1e-6);
  return Math.max(...actual.map((number, index) => Math.abs(number - expected[index]!))) / scale;
}
