/** Sliding windows, as convolution and pooling move them over spatial axes. */
import type { Dimension, Node, Shape } from "../program/index.ts";
import { addDimensions, divideDimensions, multiplyDimensions, subtractDimensions } from "./dimension.ts";
import { shapeMismatch } from "./shape-check.ts";

/** The window's attributes along each spatial axis. */
export interface Window {
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly padsBegin: readonly number[];
  readonly padsEnd: readonly number[];
  /** "NOTSET", "VALID", "SAME_UPPER" or "SAME_LOWER". */
  readonly autoPad: string;
  readonly ceil: boolean;
}

/** Reads a node's window attributes for `axes` spatial axes. */
export function windowOf(node: Node, axes: number): Window {
  const pads = node.ints("pads") ?? new Array<number>(2 * axes).fill(0);
  return {
    strides: node.ints("strides") ?? new Array<number>(axes).fill(1),
    dilations: node.ints("dilations") ?? new Array<number>(axes).fill(1),
    padsBegin: pads.slice(0, axes),
    padsEnd: pads.slice(axes),
    autoPad: node.string("auto_pad", "NOTSET"),
    ceil: node.int("ceil_mode", 0) === 1,
  };
}

/** Returns how many places the window has along each spatial axis. @throws ShapeError if it has none. */
export function slideWindow(
  node: Node,
  spatial: Shape,
  kernel: Shape,
  window: Window = windowOf(node, spatial.length),
): Shape {
  if (kernel.length !== spatial.length)
    throw shapeMismatch(node, "the window must have one length per spatial axis", spatial, kernel);
  return spatial.map((length, axis) => {
    const places = placesAlong(length, kernel[axis]!, window, axis);
    if (typeof places === "number" && places < 1 && length !== 0)
      throw shapeMismatch(node, "the window must fit into the padded input", spatial, kernel);
    return places;
  });
}

function placesAlong(length: Dimension, kernel: Dimension, window: Window, axis: number): Dimension {
  const stride = window.strides[axis] ?? 1;
  if (window.autoPad.startsWith("SAME")) {
    if (typeof length === "number") return Math.ceil(length / stride);
    return stride === 1 ? length : exactQuotient(length, stride);
  }
  const valid = window.autoPad === "VALID";
  const padBegin = valid ? 0 : (window.padsBegin[axis] ?? 0);
  const padEnd = valid ? 0 : (window.padsEnd[axis] ?? 0);
  const room = subtractDimensions(addDimensions(length, padBegin + padEnd), windowLength(kernel, window, axis));
  if (typeof room !== "number") return addDimensions(exactQuotient(room, stride), 1);
  if (!window.ceil) return Math.floor(room / stride) + 1;
  const places = Math.ceil(room / stride) + 1;
  // A last window that would start in the padding at the end is left out.
  return typeof length === "number" && (places - 1) * stride >= length + padBegin ? places - 1 : places;
}

/** The length a kernel covers with its dilation. */
function windowLength(kernel: Dimension, window: Window, axis: number): Dimension {
  return addDimensions(multiplyDimensions(subtractDimensions(kernel, 1), window.dilations[axis] ?? 1), 1);
}

function exactQuotient(length: Dimension, stride: number): Dimension {
  return stride === 1 ? length : divideDimensions(length, stride);
}

/** Returns the spatial lengths whose convolution with the window gives back `spatial`: the output of a transposed one. */
export function unslideWindow(node: Node, spatial: Shape, kernel: Shape): Shape {
  const fixed = node.ints("output_shape");
  if (fixed) return fixed.slice(fixed.length - spatial.length);
  const window = windowOf(node, spatial.length);
  const outputPadding = node.ints("output_padding") ?? [];
  return spatial.map((length, axis) => {
    const stride = window.strides[axis] ?? 1;
    if (window.autoPad.startsWith("SAME")) return multiplyDimensions(length, stride);
    const pads = window.autoPad === "VALID" ? 0 : (window.padsBegin[axis] ?? 0) + (window.padsEnd[axis] ?? 0);
    const covered = multiplyDimensions(subtractDimensions(length, 1), stride);
    const rest = addDimensions(windowLength(kernel[axis] ?? null, window, axis), (outputPadding[axis] ?? 0) - pads);
    return addDimensions(covered, rest);
  });
}
