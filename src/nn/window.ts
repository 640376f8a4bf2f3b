/** Windows of convolutions and pools: what users write, as what ONNX wants. */
import { OptionError, ShapeError } from "../errors.ts";
import type { Value } from "../program/index.ts";
import { assertRank, knownLength, shownShape } from "./check-input.ts";

/** A whole number for every spatial axis, or one for each. */
export type PerAxis = number | readonly number[];

/** How far windows reach, and how they move. */
export interface WindowSettings {
  /**
   * Length along each spatial axis. One number stands for pictures, which have two: 3 is [3, 3]. Give a list for anything
   * else: [3] for sequences, [3, 3, 3] for volumes.
   */
  readonly kernel: PerAxis;
  /** Distance between windows. */
  readonly stride?: PerAxis;
  /**
   * What is added at both ends of each spatial axis. "same" makes the result as long as the input divided by the stride,
   * rounded up; where that is an odd number, the end gets one more than the beginning.
   */
  readonly padding?: "same" | PerAxis;
  /** Distance between elements of a window. Default 1. */
  readonly dilation?: PerAxis;
}

/** A window with one number per spatial axis; pads are beginnings, then ends. */
export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly pads: readonly number[];
  readonly dilations: readonly number[];
}

const SPATIAL: Readonly<Record<number, readonly string[]>> = {
  1: ["length"],
  2: ["height", "width"],
  3: ["depth", "height", "width"],
};

/** The axes an input must have under a window of `count` spatial axes. */
export function windowAxes(count: number): readonly string[] {
  return ["batch", "channels", ...(SPATIAL[count] ?? Array.from({ length: count }, (_, axis) => `axis ${axis}`))];
}

/**
 * Returns the window over x.
 *
 * @param defaultStride What a missing stride stands for: convolutions move by 1, pools by their kernel.
 * @throws OptionError if a number is out of range or a list has another length than the kernel.
 * @throws ShapeError if x has another rank than the window, or is smaller.
 */
export function windowOver(x: Value, settings: WindowSettings, label: string, defaultStride: "one" | "kernel"): Window {
  const kernel = kernelLengths(settings.kernel, label);
  const along = (option: string, value: PerAxis, least: number) => perAxis(value, { option, least, kernel, label });
  const strides = along("stride", settings.stride ?? (defaultStride === "one" ? 1 : kernel), 1);
  const dilations = along("dilation", settings.dilation ?? 1, 1);
  assertRank(x, windowAxes(kernel.length), label);
  const { padding = 0 } = settings;
  const reach = kernel.map((length, axis) => (length - 1) * dilations[axis]! + 1);
  const given = padding === "same" ? undefined : along("padding", padding, 0);
  const pads = given ? [...given, ...given] : samePads(x, reach, strides, label);
  assertFits(x, reach, pads, label);
  return { kernel, strides, dilations, pads };
}

/** Returns a kernel's length along each spatial axis; one number stands for two axes. @throws OptionError below 1. */
export function kernelLengths(kernel: PerAxis, label: string): readonly number[] {
  const lengths = typeof kernel === "number" ? [kernel, kernel] : kernel;
  return perAxis(lengths, { option: "kernel", least: 1, kernel: lengths, label });
}

/** Returns one number for each axis of the kernel. @throws OptionError if one is below `least`, or some are missing. */
export function perAxis(
  value: PerAxis,
  { option, least, kernel, label }: { option: string; least: number; kernel: readonly number[]; label: string },
): readonly number[] {
  const list = typeof value === "number" ? kernel.map(() => value) : value;
  if (list.length === kernel.length && list.length > 0 && list.every((one) => Number.isInteger(one) && one >= least))
    return list;
  throw new OptionError(
    `${label}: ${option} must be whole numbers of at least ${least}, one per axis of the kernel ` +
      `([${kernel.join(", ")}]), got [${list.join(", ")}].`,
  );
}

function samePads(x: Value, reach: readonly number[], strides: readonly number[], label: string): readonly number[] {
  const total = reach.map((length, axis) => {
    // With stride 1 the length does not matter: it may be open until the program runs.
    if (strides[axis] === 1) return length - 1;
    const input = knownLength(x, axis + 2, "elements along padded axes", label);
    const places = Math.ceil(input / strides[axis]!);
    return Math.max(0, (places - 1) * strides[axis]! + length - input);
  });
  return [...total.map((pad) => Math.floor(pad / 2)), ...total.map((pad) => Math.ceil(pad / 2))];
}

function assertFits(x: Value, reach: readonly number[], pads: readonly number[], label: string): void {
  const tooShort = reach.some((length, axis) => {
    const input = x.shape![axis + 2];
    return typeof input === "number" && input + pads[axis]! + pads[axis + reach.length]! < length;
  });
  if (!tooShort) return;
  throw new ShapeError(
    `${label}: the window must fit into the padded input, got a window of [${reach.join(", ")}] over ${shownShape(x)} ` +
      `with padding [${pads.join(", ")}]. Pad more, or pool less before this layer.`,
  );
}
