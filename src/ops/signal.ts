/** Fourier transforms. */
import type { Dimension, Node } from "../program/index.ts";
import { unknownLengths } from "./elements.ts";
import { type Fact, family, type InferenceContext, type Operator } from "./operator.ts";
import { normalizeAxis, shapeMismatch } from "./shape-check.ts";

/** Number of frequencies of a real signal; null when its length is unknown. */
function halfSpectrum(length: Dimension): Dimension {
  return typeof length === "number" ? Math.floor(length / 2) + 1 : null;
}

/** DFT: (input [..., 1 or 2], dft_length, axis), with axis as an attribute before operator set 20. */
function inferDft(node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape } = context.input(0);
  if (!shape) return [{ dtype }];
  const axisInput = node.inputs[2] ? (context.input(2).elements?.[0] ?? null) : -2;
  const given = context.opset >= 20 ? axisInput : node.int("axis", 1);
  if (typeof given !== "number") return [{ dtype, shape: unknownLengths(shape.length) }];
  const axis = normalizeAxis(node, given, shape.length);
  const length = node.inputs[1] ? (context.input(1).elements?.[0] ?? null) : shape[axis]!;
  const oneSided = node.int("onesided", 0) === 1;
  const inverse = node.int("inverse", 0) === 1;
  // The inverse of a one-sided spectrum is a real signal whose length only dft_length tells.
  const places = !oneSided ? length : inverse ? (node.inputs[1] ? length : null) : halfSpectrum(length);
  const parts = oneSided && inverse ? null : 2;
  return [{ dtype, shape: shape.map((own, at) => (at === axis ? places : at === shape.length - 1 ? parts : own)) }];
}

/** STFT: (signal [batch, length, 1 or 2], frame_step, window, frame_length) -> [batch, frames, frequencies, 2]. */
function inferStft(node: Node, context: InferenceContext): readonly Fact[] {
  const { dtype, shape } = context.input(0);
  const step = context.input(1).elements?.[0];
  const frame = (node.inputs[3] ? context.input(3).elements?.[0] : context.input(2).shape?.[0]) ?? null;
  const length = shape?.[1];
  if (shape && shape.length < 2) throw shapeMismatch(node, "signal must have a batch and a length", shape);
  const known = typeof length === "number" && typeof step === "number" && typeof frame === "number" && step > 0;
  const frames = known ? Math.floor((length - frame) / step) + 1 : null;
  const frequencies = node.int("onesided", 1) === 1 ? halfSpectrum(frame) : frame;
  return [{ dtype, shape: [shape?.[0] ?? null, frames, frequencies, 2] }];
}

/** Fourier transforms. */
export const signal: readonly Operator[] = [
  ...family(["DFT"], { since: 17, infer: inferDft }),
  ...family(["STFT"], { since: 17, infer: inferStft }),
];
